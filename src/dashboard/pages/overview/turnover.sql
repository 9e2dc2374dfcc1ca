-- Of the latest short_term chart, how many the one before lacked. No row where there is no such chart; where there is none
-- before it, day_before is null.
WITH latest AS (
    SELECT max(snapshot_date) AS day FROM snapshots WHERE time_range = 'short_term'
),
before AS (
    SELECT max(snapshots.snapshot_date) AS day
    FROM snapshots, latest
    WHERE snapshots.time_range = 'short_term' AND snapshots.snapshot_date < latest.day
)
SELECT
    latest.day::text AS day,
    before.day::text AS day_before,
    count(*) AS tracks,
    count(*) FILTER (
        WHERE NOT EXISTS (
            SELECT FROM snapshots AS earlier
            WHERE earlier.track_id = chart.track_id
                AND earlier.snapshot_date = before.day
                AND earlier.time_range = 'short_term')
    ) AS newcomers
FROM latest, before, snapshots AS chart
WHERE chart.snapshot_date = latest.day AND chart.time_range = 'short_term'
GROUP BY latest.day, before.day
