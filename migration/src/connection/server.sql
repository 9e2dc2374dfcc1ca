-- What the server is, and whether the target schema ($1) is there.
SELECT current_setting('server_version_num')::integer,
       current_setting('server_version'),
       EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)
