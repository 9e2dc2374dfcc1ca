-- Constraints of the tables $2 in schema $1: primary, unique and foreign keys, checks. NOT NULL is a column's matter,
-- though PostgreSQL 18 lists it here too, so contype is named.
SELECT c.relname                                        AS table_name,
       k.conname                                        AS name,
       k.contype::text                                  AS kind,
       -- Validity is a state, not a part of what is asked for.
       regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') AS definition,
       k.convalidated                                   AS valid,
       -- The table that a foreign key refers to, where it is in the same schema.
       p.relname                                        AS parent
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_class p ON p.oid = k.confrelid AND p.relnamespace = c.relnamespace
-- A foreign key to a partitioned table has one of its own for each partition, below it.
WHERE c.relnamespace = $1 AND c.relname = ANY ($2) AND k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0
ORDER BY c.relname, k.conname
