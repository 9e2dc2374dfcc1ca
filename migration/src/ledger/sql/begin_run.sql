-- A run begins.
INSERT INTO {run} (target_schema, command, source_digest, mapping_digest)
VALUES ($1, $2, $3, $4)
RETURNING id
