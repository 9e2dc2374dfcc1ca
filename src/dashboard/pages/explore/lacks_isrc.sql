SELECT track_id, name, artist_name, raw_json #>> '{album,release_date}' AS detail
FROM tracks
WHERE NOT coalesce(raw_json -> 'external_ids' ? 'isrc', false)
LIMIT 20
