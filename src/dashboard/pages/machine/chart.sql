-- The chart of time range $1 on day $2, the first $4 places, and where each track stands in that of day $3.
SELECT chart.rank, chart.track_id, tracks.name, tracks.artist_name, other.rank AS other_rank
FROM snapshots AS chart
JOIN tracks USING (track_id)
LEFT JOIN snapshots AS other
    ON other.track_id = chart.track_id AND other.snapshot_date = $3::date AND other.time_range = $1
WHERE chart.snapshot_date = $2::date AND chart.time_range = $1
ORDER BY chart.rank, chart.track_id
LIMIT $4
