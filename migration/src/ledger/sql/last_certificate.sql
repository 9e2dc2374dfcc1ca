-- The last proof of target schema $1.
SELECT to_char(made_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), equal, summary
FROM {certificate}
WHERE target_schema = $1
ORDER BY id DESC
LIMIT 1
