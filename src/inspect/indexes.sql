-- Indexes of the tables $2 in schema $1 that no constraint owns. The third argument of pg_get_indexdef leaves the
-- schema out where the table is visible, so that a scratch copy and the real one read alike.
SELECT c.relname                          AS table_name,
       i.relname                          AS name,
       pg_get_indexdef(x.indexrelid, 0, true) AS definition,
       x.indisvalid AND x.indisready      AS valid
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = $1 AND c.relname = ANY ($2)
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.relname, i.relname
