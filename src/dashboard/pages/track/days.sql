-- The snapshot dates from day $1 to day $2, the last $3 of them: each found from the one after it, so that no row between is
-- read.
WITH RECURSIVE days AS (
    (SELECT snapshot_date AS day, 1 AS number
     FROM snapshots
     WHERE snapshot_date BETWEEN $1::date AND $2::date
     ORDER BY snapshot_date DESC
     LIMIT 1)
    UNION ALL
    SELECT earlier.snapshot_date, days.number + 1
    FROM days
    CROSS JOIN LATERAL (
        SELECT snapshot_date
        FROM snapshots
        WHERE snapshot_date < days.day AND snapshot_date >= $1::date
        ORDER BY snapshot_date DESC
        LIMIT 1
    ) AS earlier
    WHERE days.number < $3
)
SELECT day::text FROM days ORDER BY day
