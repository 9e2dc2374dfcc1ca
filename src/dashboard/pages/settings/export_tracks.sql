-- Every track as a JSON object, in the order of its key. The payload is JSON in JSON; a column that is null is there.
SELECT json_build_object(
    'table', 'tracks',
    'track_id', track_id,
    'name', name,
    'artist_name', artist_name,
    'album_name', album_name,
    'duration_ms', duration_ms,
    'spotify_url', spotify_url,
    'raw_json', raw_json,
    'created_at', created_at,
    'updated_at', updated_at
)::text
FROM tracks
ORDER BY track_id
