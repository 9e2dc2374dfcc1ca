-- Distinct artists and distinct tracks of each month since day $1; null: of all time.
WITH seen AS (
    SELECT DISTINCT date_trunc('month', snapshot_date)::date AS month, track_id
    FROM snapshots
    WHERE $1::date IS NULL OR snapshot_date >= $1::date
)
SELECT to_char(month, 'YYYY-MM') AS month, count(DISTINCT tracks.artist_name) AS artists, count(*) AS tracks
FROM seen
JOIN tracks USING (track_id)
GROUP BY month
ORDER BY month
