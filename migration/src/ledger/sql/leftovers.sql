-- Sessions of unfinished runs of the target schema $1 that are still there and call themselves $2.
SELECT {answer}
FROM {backend} AS known
JOIN {run} AS run ON run.id = known.run_id
JOIN pg_catalog.pg_stat_activity AS session
  ON session.pid = known.pid AND session.backend_start = known.backend_start
WHERE run.target_schema = $1
  AND run.finished_at IS NULL
  AND session.application_name = $2
  AND session.datname = current_database()
  AND session.pid <> pg_backend_pid()
