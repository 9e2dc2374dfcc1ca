-- What hangs on the column $2 of the table $1 (schema and table, in quotes) or of one of its partitions, so that PostgreSQL refuses to retype or to drop
-- it: views and rules, triggers and policies that name it, functions whose body is in SQL's own grammar (the manual,
-- "pg_depend"). And generated columns of the same table, which would go with it without a word: `generated` is their name.
SELECT DISTINCT
       CASE WHEN r.rulename = '_RETURN' THEN pg_describe_object('pg_class'::regclass, r.ev_class, 0)
            WHEN g.attname IS NOT NULL THEN 'generated column ' || g.attname
            ELSE pg_describe_object(d.classid, d.objid, d.objsubid)
       END                        AS what,
       g.attname::text            AS generated
FROM pg_depend d
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid AND f.adrelid = d.refobjid
LEFT JOIN pg_attribute g ON g.attrelid = f.adrelid AND g.attnum = f.adnum AND g.attgenerated <> '' AND g.attnum <> a.attnum
WHERE d.refclassid = 'pg_class'::regclass AND (d.refobjid = $1::text::regclass OR d.refobjid IN (SELECT relid FROM pg_partition_tree($1::text::regclass)))
  AND a.attname = $2 AND d.deptype IN ('n', 'a')
  AND (d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass) OR g.attname IS NOT NULL
       OR d.classid = 'pg_trigger'::regclass AND EXISTS (SELECT FROM pg_trigger t WHERE t.oid = d.objid AND NOT t.tgisinternal))
ORDER BY what
