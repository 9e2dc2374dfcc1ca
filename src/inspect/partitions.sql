-- How the partitioned tables among $2 in schema $1 are laid out: a row for each partition, and one for a table without any.
-- Bounds of moments are in the session's time zone, which is UTC.
SELECT c.relname                        AS table_name,
       pg_get_partkeydef(c.oid)         AS partition_key,
       p.relname                        AS name,
       pg_get_expr(p.relpartbound, p.oid) AS bounds
FROM pg_class c
LEFT JOIN pg_inherits i ON i.inhparent = c.oid
LEFT JOIN pg_class p ON p.oid = i.inhrelid
WHERE c.relnamespace = $1 AND c.relname = ANY ($2) AND c.relkind = 'p'
ORDER BY c.relname, p.relname
