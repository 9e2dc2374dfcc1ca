-- The sources for which chunks of table $2 are stored.
SELECT DISTINCT source_digest FROM {chunk} WHERE target_schema = $1 AND table_name = $2
