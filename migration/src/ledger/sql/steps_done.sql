-- The steps of a version's section that are done.
SELECT number
FROM {step}
WHERE target_schema = $1 AND version = $2 AND section = $3 AND finished_at IS NOT NULL
ORDER BY number
