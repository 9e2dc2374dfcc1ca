-- The first relation of the names $2 that lies in the schemas $1 and not in scratch.
SELECT n.nspname || '.' || c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1)
  AND c.relname = ANY ($2)
  AND NOT EXISTS (SELECT FROM pg_class s WHERE s.relnamespace = pg_my_temp_schema() AND s.relname = c.relname)
ORDER BY c.relname
LIMIT 1
