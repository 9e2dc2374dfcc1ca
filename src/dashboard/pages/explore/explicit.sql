SELECT track_id, name, artist_name, raw_json ->> 'explicit' AS detail
FROM tracks
WHERE raw_json @> '{"explicit": true}'
LIMIT 20
