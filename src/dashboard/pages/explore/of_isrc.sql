SELECT track_id, name, artist_name, raw_json #>> '{external_ids,isrc}' AS detail
FROM tracks
WHERE raw_json @> jsonb_build_object('external_ids', jsonb_build_object('isrc', $1::text))
LIMIT 20
