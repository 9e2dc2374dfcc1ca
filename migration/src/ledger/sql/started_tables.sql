-- The tables that have chunks: for which source, and how many rows the finished ones hold.
SELECT table_name, min(source_digest), coalesce(sum(rows_written) FILTER (WHERE finished_at IS NOT NULL), 0)::bigint
FROM {chunk}
WHERE target_schema = $1
GROUP BY table_name
