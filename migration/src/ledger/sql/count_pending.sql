-- How many chunks of table $2 are not copied yet.
SELECT count(*) FROM {chunk} WHERE target_schema = $1 AND table_name = $2 AND finished_at IS NULL
