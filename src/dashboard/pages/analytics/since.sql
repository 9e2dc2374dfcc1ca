-- The first day of the month in which a range of so many months begins that ends with the last snapshot, so that every month is
-- a whole one; null for 0, all of them.
SELECT CASE
    WHEN $1::integer > 0
    THEN date_trunc('month', max(snapshot_date)::timestamp - make_interval(months => $1::integer))::date::text
END AS since
FROM snapshots
