-- Indexes of the tables $2 in schema $1 that no constraint owns. The third argument of pg_get_indexdef leaves the
-- schema out where the table is visible, so that a scratch copy and the real one read alike. Of a partitioned table's
-- index it says ON ONLY, which is a state: the index is valid where each partition has its part of it.
SELECT c.relname                          AS table_name,
       i.relname                          AS name,
       CASE i.relkind
           WHEN 'I' THEN replace(pg_get_indexdef(x.indexrelid, 0, true),
                                 quote_ident(i.relname) || ' ON ONLY ', quote_ident(i.relname) || ' ON ')
           ELSE pg_get_indexdef(x.indexrelid, 0, true)
       END                                AS definition,
       x.indisvalid AND x.indisready      AS valid
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = $1 AND c.relname = ANY ($2)
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.relname, i.relname
