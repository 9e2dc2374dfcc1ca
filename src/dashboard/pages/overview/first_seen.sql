-- How many tracks were first seen on each of the last $1 days of a snapshot.
WITH days AS (
    SELECT DISTINCT snapshot_date AS day FROM snapshots ORDER BY day DESC LIMIT $1
),
first_seen AS (
    SELECT min(snapshot_date) AS day FROM snapshots GROUP BY track_id
)
SELECT days.day::text AS day, count(first_seen.day) AS tracks
FROM days
LEFT JOIN first_seen USING (day)
GROUP BY days.day
ORDER BY days.day
