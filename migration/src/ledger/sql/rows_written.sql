-- Rows that finished chunks wrote.
SELECT table_name, sum(rows_written)::bigint
FROM {chunk}
WHERE target_schema = $1 AND finished_at IS NOT NULL
GROUP BY table_name
