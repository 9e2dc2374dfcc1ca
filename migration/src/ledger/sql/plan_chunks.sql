-- The chunks of table $2, numbered from 0 in the order of their bounds.
INSERT INTO {chunk} (target_schema, table_name, source_digest, number, lower_bound, upper_bound)
SELECT $1, $2, $3, bounds.position - 1, bounds.lower_bound, bounds.upper_bound
FROM unnest($4::bigint[], $5::bigint[]) WITH ORDINALITY AS bounds (lower_bound, upper_bound, position)
