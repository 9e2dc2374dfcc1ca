-- Tracks whose title or artist has the words $1 (as on the web: "a phrase", -without, or), of year $2, explicit or not as $3
-- says; an empty one asks for nothing. The best $5 of the first $4 that are found. Words are marked by U+E000 and U+E001,
-- which no text has by accident.
WITH asked AS (
    SELECT websearch_to_tsquery('english', $1) AS words
),
found AS (
    SELECT track_id, name, artist_name, album_name, raw_json
    FROM tracks
    WHERE ($1 = '' OR to_tsvector('english', coalesce(name, '') || ' ' || coalesce(artist_name, ''))
            @@ websearch_to_tsquery('english', $1))
        AND ($2 = '' OR left(raw_json #>> '{album,release_date}', 4) = $2)
        AND ($3 <> 'yes' OR raw_json @> '{"explicit": true}')
        AND ($3 <> 'no' OR raw_json @> '{"explicit": false}')
    LIMIT $4
)
SELECT
    found.track_id,
    found.name,
    found.artist_name,
    found.album_name,
    left(found.raw_json #>> '{album,release_date}', 4) AS year,
    coalesce(found.raw_json @> '{"explicit": true}', false) AS explicit,
    ts_headline('english', found.name, asked.words, E'HighlightAll=true, StartSel=\uE000, StopSel=\uE001') AS marked_name,
    ts_headline('english', found.artist_name, asked.words, E'HighlightAll=true, StartSel=\uE000, StopSel=\uE001')
        AS marked_artist,
    count(*) OVER () AS matches
FROM found, asked
ORDER BY
    ts_rank(to_tsvector('english', coalesce(found.name, '') || ' ' || coalesce(found.artist_name, '')), asked.words) DESC,
    found.name,
    found.track_id
LIMIT $5
