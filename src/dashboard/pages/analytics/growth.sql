-- Tracks first seen in each month, of all time, and their running sum; months without any are there with none.
WITH first_seen AS (
    SELECT min(snapshot_date) AS day FROM snapshots GROUP BY track_id
),
months AS (
    SELECT date_trunc('month', day)::date AS month, count(*) AS added FROM first_seen GROUP BY 1
),
-- Up to the last snapshot, which may have brought none.
calendar AS (
    SELECT generate_series(min(months.month), (SELECT max(snapshot_date) FROM snapshots), '1 month')::date AS month FROM months
)
SELECT
    to_char(month, 'YYYY-MM') AS month,
    coalesce(added, 0) AS added,
    (sum(added) OVER (ORDER BY month))::bigint AS total
FROM calendar
LEFT JOIN months USING (month)
ORDER BY month
