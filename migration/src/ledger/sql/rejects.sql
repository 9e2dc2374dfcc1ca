-- The rejected rows of the tables $2, in the order in which they were read.
SELECT table_name, source_table, source_digest, chunk, row_number, key, column_name, reason, refused_by, source_row::text
FROM {reject}
WHERE target_schema = $1 AND table_name = ANY ($2)
ORDER BY table_name COLLATE "C", chunk, row_number
