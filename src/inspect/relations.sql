-- What stands in schema $1 under the names $2, whatever its kind.
SELECT relname AS name, relkind::text AS kind
FROM pg_class
WHERE relnamespace = $1 AND relname = ANY ($2)
ORDER BY relname
