-- Around day $2 (null: a year before the last chart, or the first), the charts of time range $1: the one that stood then, its neighbours, and the last one.
WITH ends AS (
    SELECT min(snapshot_date) AS first_day, max(snapshot_date) AS now_day FROM snapshots WHERE time_range = $1
),
then_chart AS (
    SELECT max(snapshots.snapshot_date) AS day
    FROM snapshots, ends
    WHERE snapshots.time_range = $1
        AND snapshots.snapshot_date
            <= coalesce($2::date, greatest((ends.now_day - interval '1 year')::date, ends.first_day))
)
SELECT
    then_chart.day::text AS then_day,
    ends.now_day::text AS now_day,
    (SELECT max(snapshot_date) FROM snapshots WHERE time_range = $1 AND snapshot_date < then_chart.day)::text AS day_before,
    (SELECT min(snapshot_date) FROM snapshots WHERE time_range = $1 AND snapshot_date > then_chart.day)::text AS day_after,
    ends.first_day::text AS first_day
FROM then_chart, ends
