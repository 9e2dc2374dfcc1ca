-- Columns of the tables $2 in schema $1 of which the server keeps something that a new column in their place would not have:
-- partitions and heirs, rights and settings of their own, sequences, statistics and publications that name them; a table
-- that is clustered or replicated by one of its indexes; and triggers of somebody's, which would fire for each row.
SELECT c.relname, a.attname
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = $1 AND c.relname = ANY ($2)
  AND (c.relkind <> 'r' OR c.relispartition
       OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
       OR EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND (indisclustered OR indisreplident))
       OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal AND NOT starts_with(tgname::text, $3))
       OR a.attacl IS NOT NULL OR a.attoptions IS NOT NULL OR coalesce(a.attstattarget, -1) >= 0 OR a.attcompression <> ''
       OR EXISTS (SELECT FROM pg_depend d LEFT JOIN pg_class s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid
                  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
                    AND (s.relkind = 'S' OR d.classid IN ('pg_statistic_ext'::regclass, 'pg_publication_rel'::regclass))))
