-- The tables that have chunks: for which source, and how many rows the finished ones hold and have rejected. An older
-- ledger has no rows_rejected (see copied_tables.sql).
SELECT table_name, min(source_digest), coalesce(sum(rows_written) FILTER (WHERE finished_at IS NOT NULL), 0)::bigint,
       coalesce(sum((to_jsonb(known) ->> 'rows_rejected')::bigint) FILTER (WHERE finished_at IS NOT NULL), 0)::bigint
FROM {chunk} AS known
WHERE target_schema = $1
GROUP BY table_name
