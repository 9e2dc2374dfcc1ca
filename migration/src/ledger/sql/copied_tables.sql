-- The tables whose rows are all there. A ledger of before the rejects, which is read until a run brings it up to date,
-- has no rows_rejected: so the row is asked for it, not the table.
SELECT table_name, source_table, source_digest, rows_written, rows_nulled,
       coalesce((to_jsonb(known) ->> 'rows_rejected')::bigint, 0),
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM {copied} AS known
WHERE target_schema = $1
ORDER BY table_name COLLATE "C"
