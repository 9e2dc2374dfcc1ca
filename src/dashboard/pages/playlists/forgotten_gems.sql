-- Tracks that were loved 90 to 365 days before the last snapshot (place 20 or better in a short_term or medium_term chart), and
-- are in no chart of the 90 days up to it. The best loved first, $1 at most.
WITH last_snapshot AS (
    SELECT max(snapshot_date) AS day FROM snapshots
),
loved AS (
    SELECT snapshots.track_id, min(snapshots.rank) AS best_rank, max(snapshots.snapshot_date) AS last_loved
    FROM snapshots, last_snapshot
    WHERE snapshots.snapshot_date BETWEEN last_snapshot.day - 365 AND last_snapshot.day - 90
        AND snapshots.time_range IN ('short_term', 'medium_term')
        AND snapshots.rank <= 20
    GROUP BY snapshots.track_id
)
SELECT
    loved.track_id,
    tracks.name,
    tracks.artist_name,
    tracks.duration_ms,
    tracks.spotify_url,
    loved.best_rank AS rank,
    loved.last_loved::text AS day
FROM loved
JOIN tracks USING (track_id)
WHERE NOT EXISTS (
    SELECT FROM snapshots AS lately, last_snapshot
    WHERE lately.track_id = loved.track_id AND lately.snapshot_date > last_snapshot.day - 90)
ORDER BY loved.best_rank, loved.last_loved DESC, loved.track_id
LIMIT $1
