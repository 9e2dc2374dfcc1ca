-- Distinct artists and distinct tracks of each month since day $1; null: of all time.
WITH seen AS (
    SELECT date_trunc('month', snapshot_date::timestamp) AS month, track_id
    FROM snapshots
    WHERE $1::date IS NULL OR snapshot_date >= $1::date
    GROUP BY month, track_id
),
of_artists AS (
    SELECT seen.month, tracks.artist_name, count(*) AS tracks
    FROM seen
    JOIN tracks USING (track_id)
    GROUP BY seen.month, tracks.artist_name
)
SELECT to_char(month, 'YYYY-MM') AS month, count(*) AS artists, sum(tracks)::bigint AS tracks
FROM of_artists
GROUP BY of_artists.month
ORDER BY of_artists.month
