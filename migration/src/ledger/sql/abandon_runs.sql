-- Runs of the target schema $1 that never said how they ended.
UPDATE {run} SET finished_at = now(), outcome = 'abandoned'
WHERE target_schema = $1 AND finished_at IS NULL
