-- The first day of a range of so many months that ends with the last snapshot; null for 0, all of them.
SELECT CASE WHEN $1::integer > 0 THEN (max(snapshot_date) - make_interval(months => $1::integer))::date::text END AS since
FROM snapshots
