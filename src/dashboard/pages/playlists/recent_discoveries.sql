-- Tracks that the last snapshot has and no earlier one. The best placed first, $1 at most.
WITH last_snapshot AS (
    SELECT max(snapshot_date) AS day FROM snapshots
)
SELECT
    newest.track_id,
    tracks.name,
    tracks.artist_name,
    tracks.duration_ms,
    tracks.spotify_url,
    min(newest.rank) AS rank,
    last_snapshot.day::text AS day
FROM last_snapshot
JOIN snapshots AS newest ON newest.snapshot_date = last_snapshot.day
JOIN tracks USING (track_id)
WHERE NOT EXISTS (
    SELECT FROM snapshots AS earlier
    WHERE earlier.track_id = newest.track_id AND earlier.snapshot_date < last_snapshot.day)
GROUP BY newest.track_id, tracks.name, tracks.artist_name, tracks.duration_ms, tracks.spotify_url, last_snapshot.day
ORDER BY rank, newest.track_id
LIMIT $1
