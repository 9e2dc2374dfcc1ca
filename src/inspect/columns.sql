-- The columns of ordinary tables ($2) in one schema ($1), as PostgreSQL itself writes them.
-- $1: the schema's oid (pg_my_temp_schema() for the scratch copy), $2: relation names.
SELECT c.relname                                                    AS table_name,
       a.attname                                                    AS column_name,
       -- A domain counts as what it is over: a row that it refuses is the rows' matter, not the schema's.
       format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END,
                   CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END) AS type,
       CASE WHEN a.attcollation <> t.typcollation THEN co.collname END AS collation,
       a.attnotnull                                                 AS not_null,
       pg_get_expr(d.adbin, d.adrelid)                              AS default_expression,
       a.attidentity::text                                          AS identity,
       a.attgenerated::text                                         AS generated,
       col_description(c.oid, a.attnum)                             AS comment,
       obj_description(c.oid, 'pg_class')                           AS table_comment
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')
ORDER BY c.relname, a.attnum
