-- What hangs on the table $2 of schema $1 and would go with it, where it is made anew: views, triggers, policies, rules,
-- publications, sequences of its own, foreign keys of tables other than $3, children, rights. Columns, checks, keys, indexes,
-- defaults, identities and partitions are not among them.
WITH relation AS (
    SELECT c.oid, c.reltype, c.relacl, c.relowner, c.relrowsecurity, c.reloptions
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace = $1 AND c.relname = $2
)
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS what
FROM relation r
JOIN pg_catalog.pg_depend d ON (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = r.oid)
    OR (d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = r.reltype)
WHERE d.classid NOT IN ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_attrdef'::regclass)
  AND (d.classid <> 'pg_catalog.pg_class'::regclass OR (
      d.objid <> r.oid
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class o
                      WHERE o.oid = d.objid AND (o.relkind IN ('i', 'I', 't') OR o.relispartition
                                                 OR (o.relkind = 'S' AND d.deptype = 'i')))))
  AND (d.classid <> 'pg_catalog.pg_constraint'::regclass OR EXISTS (
      SELECT FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class o ON o.oid = k.conrelid
      WHERE k.oid = d.objid AND k.conparentid = 0 AND k.conrelid <> r.oid
        AND NOT (o.relnamespace = $1 AND o.relname = ANY ($3))))
  -- What a foreign key or a key does by triggers of its own.
  AND (d.classid <> 'pg_catalog.pg_trigger'::regclass OR EXISTS (
      SELECT FROM pg_catalog.pg_trigger t WHERE t.oid = d.objid AND NOT t.tgisinternal))
UNION
SELECT 'rights granted to others' FROM relation r
WHERE r.relacl IS NOT NULL AND r.relacl <> acldefault('r', r.relowner)
UNION
SELECT 'rights granted on its columns' FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attacl IS NOT NULL
UNION
SELECT 'row security' FROM relation r WHERE r.relrowsecurity
UNION
SELECT 'storage parameters' FROM relation r WHERE r.reloptions IS NOT NULL
UNION
SELECT 'an owner other than this role' FROM relation r WHERE r.relowner <> (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
ORDER BY what
