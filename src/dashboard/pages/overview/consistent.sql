-- The artists with the most distinct snapshot dates, since day $1 (null: of all time), the first $2 of them.
SELECT artist_name, count(*) AS days
FROM (
    SELECT tracks.artist_name, snapshots.snapshot_date
    FROM snapshots
    JOIN tracks USING (track_id)
    WHERE $1::date IS NULL OR snapshots.snapshot_date >= $1::date
    GROUP BY tracks.artist_name, snapshots.snapshot_date
) AS seen
GROUP BY artist_name
ORDER BY days DESC, artist_name
LIMIT $2
