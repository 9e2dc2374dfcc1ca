-- For each month since day $1 (null: of all time): the places of its short_term charts that have one before them, and those
-- of them whose track the one before lacks.
WITH charts AS (
    SELECT snapshot_date AS day, lag(snapshot_date) OVER (ORDER BY snapshot_date) AS day_before
    FROM (SELECT DISTINCT snapshot_date FROM snapshots WHERE time_range = 'short_term') AS days
)
SELECT
    to_char(charts.day, 'YYYY-MM') AS month,
    count(*) AS tracks,
    count(*) FILTER (WHERE earlier.track_id IS NULL) AS newcomers
FROM charts
JOIN snapshots AS chart ON chart.snapshot_date = charts.day AND chart.time_range = 'short_term'
LEFT JOIN snapshots AS earlier
    ON earlier.track_id = chart.track_id
    AND earlier.snapshot_date = charts.day_before
    AND earlier.time_range = 'short_term'
WHERE charts.day_before IS NOT NULL AND ($1::date IS NULL OR charts.day >= $1::date)
GROUP BY month
ORDER BY month
