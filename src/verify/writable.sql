-- Where a writer can try itself among the tables $2 in schema $1: a column to set to what it holds, and whether somebody's
-- triggers or rules would act on it. A column that no index holds is taken before others, an ordinary one before a key's.
SELECT c.relname::text AS table_name,
       (SELECT a.attname::text
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
         ORDER BY EXISTS (SELECT FROM pg_catalog.pg_index AS x WHERE x.indrelid = c.oid AND a.attnum = ANY (x.indkey)), a.attnum
         LIMIT 1) AS column_name,
       -- tgtype: 16 is UPDATE; 'D' is switched off. Foreign keys' triggers are internal, and look at nothing here.
       EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 16 <> 0)
       -- ev_type: 2 is UPDATE.
       OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid AND r.ev_type = '2') AS acts
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')
 ORDER BY array_position($2, c.relname::text)
