-- The years in which most tracks were released. The year is the date's first four characters, whether the date says a day, a
-- month, or just the year.
SELECT left(raw_json #>> '{album,release_date}', 4) AS year, count(*) AS tracks
FROM tracks
WHERE raw_json #>> '{album,release_date}' ~ '^[0-9]{4}'
GROUP BY year
ORDER BY tracks DESC, year DESC
LIMIT $1
