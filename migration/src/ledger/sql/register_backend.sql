-- This session, as one of run $1.
INSERT INTO {backend} (run_id, pid, backend_start)
SELECT $1, session.pid, session.backend_start
FROM pg_catalog.pg_stat_activity AS session
WHERE session.pid = pg_backend_pid()
ON CONFLICT DO NOTHING
