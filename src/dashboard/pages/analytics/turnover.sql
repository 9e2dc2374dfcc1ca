-- For each month since day $1 (null: of all time): the places of its short_term charts that have one before them, and those
-- of them whose track the one before lacks: the last chart that it was in is an earlier one, or none.
WITH charts AS (
    SELECT snapshot_date AS day, lag(snapshot_date) OVER (ORDER BY snapshot_date) AS day_before
    FROM snapshots
    WHERE time_range = 'short_term'
    GROUP BY snapshot_date
),
places AS (
    SELECT snapshot_date AS day, lag(snapshot_date) OVER (PARTITION BY track_id ORDER BY snapshot_date) AS last_seen
    FROM snapshots
    WHERE time_range = 'short_term'
        AND ($1::date IS NULL
            OR snapshot_date >= (SELECT min(day_before) FROM charts WHERE day >= $1::date AND day_before IS NOT NULL))
)
SELECT
    to_char(charts.day, 'YYYY-MM') AS month,
    count(*) AS tracks,
    count(*) FILTER (WHERE places.last_seen IS DISTINCT FROM charts.day_before) AS newcomers
FROM places
JOIN charts USING (day)
WHERE charts.day_before IS NOT NULL AND ($1::date IS NULL OR charts.day >= $1::date)
GROUP BY month
ORDER BY month
