-- The last run of each command that came to its end in the target schema $1, for the schema $2 too.
INSERT INTO {run} (target_schema, command, source_digest, mapping_digest, started_at, finished_at, outcome)
SELECT DISTINCT ON (command) $2, command, source_digest, mapping_digest, started_at, finished_at, outcome
FROM {run}
WHERE target_schema = $1 AND outcome = 'done'
ORDER BY command, id DESC
