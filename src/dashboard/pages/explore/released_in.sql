SELECT track_id, name, artist_name, raw_json #>> '{album,release_date}' AS detail
FROM tracks
WHERE left(raw_json #>> '{album,release_date}', 4) = $1
LIMIT 20
