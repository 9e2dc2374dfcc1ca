-- Sessions that are still there and call themselves $2, of run $3, or where that is NULL, of the unfinished runs of the target
-- schema $1.
SELECT {answer}
FROM {backend} AS known
JOIN {run} AS run ON run.id = known.run_id
JOIN pg_catalog.pg_stat_activity AS session
  ON session.pid = known.pid AND session.backend_start = known.backend_start
WHERE run.target_schema = $1
  AND CASE WHEN $3::bigint IS NULL THEN run.finished_at IS NULL ELSE run.id = $3 END
  AND session.application_name = $2
  AND session.datname = current_database()
  AND session.pid <> pg_backend_pid()
