SELECT track_id, name, artist_name, raw_json ->> 'popularity' AS detail
FROM tracks
WHERE raw_json @? '$.popularity ? (@ >= 80)'
LIMIT 20
