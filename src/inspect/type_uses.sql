-- Enumerated types of schema $1, and what depends on each beside the tables $2: their columns, defaults, checks and indexes go
-- with what the plan makes of them, and those of a partition with its table's. Where nothing else does, `uses` is NULL.
SELECT format_type(t.oid, NULL)                                           AS name,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
        FROM pg_enum e WHERE e.enumtypid = t.oid)                         AS labels,
       (SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), ', ')
        FROM pg_depend d
        LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
        LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
        LEFT JOIN pg_index x ON d.classid = 'pg_class'::regclass AND x.indexrelid = d.objid
        LEFT JOIN pg_class o ON o.oid = coalesce(f.adrelid, k.conrelid, x.indrelid,
                                                 CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END)
        LEFT JOIN pg_class c ON c.oid = CASE WHEN o.relispartition THEN pg_partition_root(o.oid) ELSE o.oid END
        WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n'
          AND NOT coalesce(c.relkind IN ('r', 'p', 'i') AND c.relname = ANY ($2) AND c.relnamespace = $1, false)) AS uses
FROM pg_type t
WHERE t.typnamespace = $1 AND t.typtype = 'e' AND EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = t.oid)
ORDER BY t.typname
