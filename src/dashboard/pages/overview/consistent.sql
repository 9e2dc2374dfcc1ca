-- The artists with the most distinct snapshot dates, since day $1 (null: of all time), the first $2 of them.
SELECT tracks.artist_name, count(DISTINCT seen.snapshot_date) AS days
FROM (
    SELECT DISTINCT track_id, snapshot_date FROM snapshots WHERE $1::date IS NULL OR snapshot_date >= $1::date
) AS seen
JOIN tracks USING (track_id)
GROUP BY tracks.artist_name
ORDER BY days DESC, tracks.artist_name
LIMIT $2
