-- The tables of the target schema, which is the whole search path.
SELECT relation.relname::text
FROM pg_catalog.pg_class AS relation
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname = current_schema()
  AND relation.relkind IN ('r', 'p')
ORDER BY relation.relname COLLATE "C"
