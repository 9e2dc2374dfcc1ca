-- Every payload once: how many are there, what each tells, and of which generation it is.
WITH payloads AS (
    SELECT
        raw_json,
        raw_json -> 'album' AS album,
        raw_json #>> '{album,release_date}' AS release_date,
        raw_json #>> '{album,release_date_precision}' AS release_date_precision
    FROM tracks
    WHERE jsonb_typeof(raw_json) = 'object' AND raw_json <> '{}'
)
SELECT
    (SELECT count(*) FROM tracks) AS tracks,
    count(*) AS payloads,
    count(*) FILTER (WHERE raw_json @> '{"explicit": true}') AS explicit,
    count(*) FILTER (WHERE raw_json @> '{"explicit": false}') AS clean,
    count(*) FILTER (WHERE raw_json -> 'external_ids' ? 'isrc') AS with_isrc,
    count(*) FILTER (WHERE release_date_precision = 'day') AS to_the_day,
    count(*) FILTER (WHERE release_date_precision = 'month') AS to_the_month,
    count(*) FILTER (WHERE release_date_precision = 'year') AS to_the_year,
    count(*) FILTER (WHERE release_date IS NULL) AS without_release_date,
    -- What a generation has that the others lack; a payload is counted for the first that fits.
    count(*) FILTER (WHERE NOT coalesce(album ? 'release_date', false)) AS without_album_date,
    count(*) FILTER (WHERE album ? 'release_date' AND raw_json ? 'available_markets') AS with_markets,
    count(*) FILTER (
        WHERE album ? 'release_date' AND NOT raw_json ? 'available_markets' AND raw_json ? 'external_ids'
    ) AS without_markets,
    count(*) FILTER (
        WHERE album ? 'release_date' AND NOT raw_json ? 'available_markets' AND NOT raw_json ? 'external_ids'
    ) AS without_external_ids
FROM payloads
