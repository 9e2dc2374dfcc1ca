-- The last short_term chart in the order of places, $1 at most.
SELECT
    chart.track_id,
    tracks.name,
    tracks.artist_name,
    tracks.duration_ms,
    tracks.spotify_url,
    chart.rank,
    chart.snapshot_date::text AS day
FROM snapshots AS chart
JOIN tracks USING (track_id)
WHERE chart.time_range = 'short_term'
    AND chart.snapshot_date = (SELECT max(snapshot_date) FROM snapshots WHERE time_range = 'short_term')
ORDER BY chart.rank, chart.track_id
LIMIT $1
