-- The chunks of table $2 that are not copied yet.
SELECT number, lower_bound, upper_bound
FROM {chunk}
WHERE target_schema = $1 AND table_name = $2 AND finished_at IS NULL
ORDER BY number
