-- The tables whose rows are all there.
SELECT table_name, source_table, source_digest, rows_written, rows_nulled,
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM {copied}
WHERE target_schema = $1
ORDER BY table_name COLLATE "C"
