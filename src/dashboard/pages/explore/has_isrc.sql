SELECT track_id, name, artist_name, raw_json #>> '{external_ids,isrc}' AS detail
FROM tracks
WHERE raw_json -> 'external_ids' ? 'isrc'
LIMIT 20
