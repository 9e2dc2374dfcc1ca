-- How much there is, and of when.
SELECT
    (SELECT count(*) FROM tracks) AS tracks,
    (SELECT count(*) FROM snapshots) AS places,
    (SELECT min(snapshot_date)::text FROM snapshots) AS first_day,
    (SELECT max(snapshot_date)::text FROM snapshots) AS last_day
