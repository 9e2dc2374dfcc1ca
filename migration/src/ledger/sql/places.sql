-- Where a ledger is, or may be made, for the target schema $1, as this role may use it.
WITH usable AS (
    SELECT namespace.nspname,
           EXISTS (
               SELECT FROM pg_catalog.pg_class AS relation
               WHERE relation.relnamespace = namespace.oid
                 AND relation.relname = CASE namespace.nspname WHEN 'mtm' THEN 'copied' ELSE 'mtm_copied' END
                 AND has_table_privilege(relation.oid, 'SELECT')
           ) AND has_schema_privilege(namespace.oid, 'USAGE') AS readable,
           EXISTS (
               SELECT FROM pg_catalog.pg_class AS relation
               WHERE relation.relnamespace = namespace.oid
                 AND relation.relname = CASE namespace.nspname WHEN 'mtm' THEN 'copied' ELSE 'mtm_copied' END
                 AND has_table_privilege(relation.oid, 'INSERT')
                 AND has_table_privilege(relation.oid, 'DELETE')
           ) AND has_schema_privilege(namespace.oid, 'USAGE') AS writable,
           has_schema_privilege(namespace.oid, 'USAGE')
               AND has_schema_privilege(namespace.oid, 'CREATE') AS creatable
    FROM pg_catalog.pg_namespace AS namespace
)
SELECT coalesce((SELECT readable FROM usable WHERE nspname = $1), false) AS target_readable,
       coalesce((SELECT creatable FROM usable WHERE nspname = $1), false) AS target_creatable,
       coalesce((SELECT readable FROM usable WHERE nspname = 'mtm'), false) AS own_readable,
       coalesce((SELECT writable FROM usable WHERE nspname = 'mtm'), false) AS own_writable,
       coalesce((SELECT creatable FROM usable WHERE nspname = 'mtm'),
                has_database_privilege(current_database(), 'CREATE')) AS own_creatable
