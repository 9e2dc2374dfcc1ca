-- Chunk $3 of table $2 is copied.
UPDATE {chunk}
SET rows_written = $4, rows_nulled = $5, rows_rejected = $6, finished_at = now()
WHERE target_schema = $1 AND table_name = $2 AND number = $3 AND finished_at IS NULL
