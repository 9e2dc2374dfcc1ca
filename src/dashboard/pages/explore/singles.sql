SELECT track_id, name, artist_name, raw_json #>> '{album,album_type}' AS detail
FROM tracks
WHERE raw_json @> '{"album": {"album_type": "single"}}' OR raw_json @> '{"album": {"album_type": "SINGLE"}}'
LIMIT 20
