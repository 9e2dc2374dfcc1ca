-- Since when the sessions of run $1 (of them $2, where it is not null) wait for their client; null: one of them is at work.
SELECT CASE WHEN count(*) FILTER (WHERE session.wait_event_type IS DISTINCT FROM 'Client') = 0
            THEN coalesce(string_agg(session.pid || ' ' || session.state_change, ', ' ORDER BY session.pid), '') END
FROM {backend} AS known
JOIN pg_catalog.pg_stat_activity AS session
  ON session.pid = known.pid AND session.backend_start = known.backend_start
WHERE known.run_id = $1
  AND ($2::integer IS NULL OR session.pid = $2)
