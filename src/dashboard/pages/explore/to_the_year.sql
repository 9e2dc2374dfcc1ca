SELECT track_id, name, artist_name, raw_json #>> '{album,release_date}' AS detail
FROM tracks
WHERE raw_json @? '$.album ? (@.release_date_precision == "year")'
LIMIT 20
