-- Copies into tables of the target schema $1 that are no longer there.
DELETE FROM {table} AS known
WHERE known.target_schema = $1
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_class AS relation
      JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
      WHERE namespace.nspname = known.target_schema
        AND relation.relname = known.table_name
        AND relation.relkind IN ('r', 'p')
  )
