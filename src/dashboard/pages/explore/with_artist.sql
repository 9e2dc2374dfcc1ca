SELECT track_id, name, artist_name, jsonb_array_length(raw_json -> 'artists')::text AS detail
FROM tracks
WHERE raw_json @> jsonb_build_object('artists', jsonb_build_array(jsonb_build_object('name', $1::text)))
LIMIT 20
