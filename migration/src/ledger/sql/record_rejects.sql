-- Rows of chunk $3 of table $2 that are not written, with the digest that the chunk was planned for.
INSERT INTO {reject} (target_schema, table_name, chunk, row_number, source_table, source_digest, key, column_name, reason,
                      refused_by, source_row)
SELECT $1, $2, $3, refused.row_number, $4,
       (SELECT source_digest FROM {chunk} WHERE target_schema = $1 AND table_name = $2 AND number = $3),
       refused.key, refused.column_name, refused.reason, refused.refused_by, refused.source_row::json
FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
     AS refused (row_number, key, column_name, reason, refused_by, source_row)
