-- Around day $2 (null: the last), the charts of time range $1: the one that stood then, its neighbours, and the last one.
WITH then_chart AS (
    SELECT max(snapshot_date) AS day
    FROM snapshots
    WHERE time_range = $1 AND snapshot_date <= coalesce($2::date, 'infinity')
)
SELECT
    then_chart.day::text AS then_day,
    (SELECT max(snapshot_date) FROM snapshots WHERE time_range = $1)::text AS now_day,
    (SELECT max(snapshot_date) FROM snapshots WHERE time_range = $1 AND snapshot_date < then_chart.day)::text AS day_before,
    (SELECT min(snapshot_date) FROM snapshots WHERE time_range = $1 AND snapshot_date > then_chart.day)::text AS day_after,
    (SELECT min(snapshot_date) FROM snapshots WHERE time_range = $1)::text AS first_day
FROM then_chart
