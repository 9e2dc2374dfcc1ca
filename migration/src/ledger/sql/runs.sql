-- The last $2 runs about target schema $1, the latest first.
SELECT
    command,
    to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    outcome
FROM {run}
WHERE target_schema = $1
ORDER BY id DESC
LIMIT $2
