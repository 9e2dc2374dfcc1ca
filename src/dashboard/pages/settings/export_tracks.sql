-- Every track as a JSON object, in the order of its key. The payload is JSON in JSON, to the last digit; a track that has none lacks
-- it, while JSON's null is there.
SELECT left(
    json_build_object(
        'table', 'tracks',
        'track_id', track_id,
        'name', name,
        'artist_name', artist_name,
        'album_name', album_name,
        'duration_ms', duration_ms,
        'spotify_url', spotify_url,
        'created_at', created_at,
        'updated_at', updated_at
    )::text, -1) || coalesce(', "raw_json" : ' || raw_json::text, '') || '}'
FROM tracks
ORDER BY track_id
