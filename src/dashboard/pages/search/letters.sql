-- Tracks whose title or artist holds the letters $1, for words that the full-text index leaves out, as "the" and "you"; of
-- year $2, explicit or not as $3 says. The first $5 by name, and how many there are, $4 at most.
WITH found AS (
    SELECT track_id, name, least(count(*) OVER (), $4) AS matches
    FROM tracks
    WHERE (position(lower($1) IN lower(name)) > 0 OR position(lower($1) IN lower(artist_name)) > 0)
        AND ($2 = '' OR left(raw_json #>> '{album,release_date}', 4) = $2)
        AND ($3 <> 'yes' OR raw_json @> '{"explicit": true}')
        AND ($3 <> 'no' OR raw_json @> '{"explicit": false}')
    ORDER BY name, track_id
    LIMIT $5
)
SELECT
    track_id,
    tracks.name,
    artist_name,
    album_name,
    left(raw_json #>> '{album,release_date}', 4) AS year,
    coalesce(raw_json @> '{"explicit": true}', false) AS explicit,
    tracks.name AS marked_name,
    artist_name AS marked_artist,
    found.matches
FROM found
JOIN tracks USING (track_id)
ORDER BY found.name, track_id
