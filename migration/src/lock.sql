-- Who holds the advisory lock ($1, $2) of this database. A two-key lock has objsubid 2, and its keys are shown as oids.
-- Of other roles' sessions a plain role sees the pid and the application's name only.
SELECT holder.pid,
       coalesce(session.application_name, ''),
       CASE WHEN session.backend_start IS NULL THEN NULL
            WHEN session.client_addr IS NULL THEN 'local socket'
            ELSE host(session.client_addr)
       END,
       to_char(session.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM pg_catalog.pg_locks AS holder
LEFT JOIN pg_catalog.pg_stat_activity AS session ON session.pid = holder.pid
WHERE holder.locktype = 'advisory'
  AND holder.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND holder.classid::bigint = $1::bigint & 4294967295
  AND holder.objid::bigint = $2::bigint & 4294967295
  AND holder.objsubid = 2
  AND holder.granted
