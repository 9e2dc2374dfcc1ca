-- Table $2 is copied, with the sums of its chunks.
INSERT INTO {copied} (target_schema, table_name, source_table, source_digest, rows_written, rows_nulled, rows_rejected)
SELECT $1, $2, $3, $4, coalesce(sum(rows_written), 0), coalesce(sum(rows_nulled), 0), coalesce(sum(rows_rejected), 0)
FROM {chunk}
WHERE target_schema = $1 AND table_name = $2
ON CONFLICT (target_schema, table_name) DO UPDATE
SET source_table = excluded.source_table,
    source_digest = excluded.source_digest,
    rows_written = excluded.rows_written,
    rows_nulled = excluded.rows_nulled,
    rows_rejected = excluded.rows_rejected,
    finished_at = now()
RETURNING table_name, source_table, source_digest, rows_written, rows_nulled, rows_rejected,
          to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
