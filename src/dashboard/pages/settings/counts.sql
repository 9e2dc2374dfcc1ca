-- How much there is, what it takes on the disk, and what the server is.
SELECT
    (SELECT count(*) FROM tracks) AS tracks,
    (SELECT count(*) FROM snapshots) AS places,
    (SELECT max(snapshot_date)::text FROM snapshots) AS last_day,
    pg_total_relation_size('tracks') + pg_total_relation_size('snapshots') AS bytes,
    current_setting('server_version') AS server_version,
    current_user::text AS role,
    has_table_privilege('tracks', 'INSERT') AND has_table_privilege('snapshots', 'INSERT') AS may_write,
    current_setting('statement_timeout') AS statement_timeout
