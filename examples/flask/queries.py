"""The questions that the pages ask, for the tables that `mtm apply` makes from mappings/types.yaml.

An index over an expression is used by a query that says the very same expression. So each of them is written once, here,
as it is written in the mapping.
"""

from typing import NamedTuple

SEARCHED_TEXT = "to_tsvector('english', coalesce(name, '') || ' ' || coalesce(artist_name, ''))"  # idx_tracks_search
RELEASE_YEAR = "left(raw_json #>> '{album,release_date}', 4)"  # idx_tracks_release_year

COUNTS = """
SELECT (SELECT count(*) FROM tracks) AS tracks,
       (SELECT count(*) FROM snapshots) AS snapshots,
       (SELECT max(snapshot_date) FROM snapshots) AS latest
"""

# Of the latest short_term snapshot, the share that the one before lacks. NULL as long as there are not two.
TURNOVER = """
WITH latest_two AS (
    SELECT DISTINCT snapshot_date FROM snapshots WHERE time_range = 'short_term' ORDER BY snapshot_date DESC LIMIT 2
),
pair AS (
    SELECT max(snapshot_date) AS latest, min(snapshot_date) AS previous FROM latest_two HAVING count(*) = 2
)
SELECT round(100.0 * count(*) FILTER (WHERE before.track_id IS NULL) / nullif(count(*), 0), 1) AS percent
FROM pair
JOIN snapshots AS now ON now.snapshot_date = pair.latest AND now.time_range = 'short_term'
LEFT JOIN snapshots AS before
    ON before.track_id = now.track_id AND before.snapshot_date = pair.previous AND before.time_range = 'short_term'
"""

MOST_CONSISTENT_ARTIST = """
SELECT artist_name, count(DISTINCT snapshot_date) AS dates
FROM snapshots JOIN tracks USING (track_id)
GROUP BY artist_name
ORDER BY dates DESC, artist_name
LIMIT 1
"""

# A track is first seen on its earliest date over all time ranges. The last year of weekly snapshots.
FIRST_SEEN = """
WITH first_dates AS (
    SELECT track_id, min(snapshot_date) AS snapshot_date FROM snapshots GROUP BY track_id
)
SELECT snapshot_date, count(track_id) AS tracks
FROM (SELECT DISTINCT snapshot_date FROM snapshots) AS dates LEFT JOIN first_dates USING (snapshot_date)
GROUP BY snapshot_date
ORDER BY snapshot_date DESC
LIMIT 52
"""

# A release date is '2004-07-13', '2004-07' or '2004', as its precision says. The year is in each of them; a cast to date
# would fail on the short ones. '0000' is what Spotify says where it does not know.
RELEASE_YEARS = f"""
SELECT {RELEASE_YEAR} AS release_year,
       count(*) AS tracks,
       count(*) FILTER (WHERE raw_json #>> '{{album,release_date_precision}}' = 'day') AS known_to_the_day,
       count(*) FILTER (WHERE raw_json #>> '{{album,release_date_precision}}' = 'month') AS known_to_the_month,
       count(*) FILTER (WHERE raw_json #>> '{{album,release_date_precision}}' = 'year') AS known_to_the_year
FROM tracks
WHERE raw_json #>> '{{album,release_date}}' ~ '^[1-9][0-9][0-9][0-9]'
GROUP BY release_year
ORDER BY tracks DESC, release_year DESC
LIMIT 10
"""

# Neither: the track has no payload, or an empty one.
EXPLICIT_AND_CLEAN = """
SELECT count(*) FILTER (WHERE raw_json @> '{"explicit": true}') AS explicit,
       count(*) FILTER (WHERE raw_json @> '{"explicit": false}') AS clean,
       count(*) FILTER (WHERE NOT coalesce(raw_json @> '{"explicit": true}' OR raw_json @> '{"explicit": false}', false))
           AS neither
FROM tracks
"""

SEARCH = f"""
SELECT name, artist_name, album_name, spotify_url, {RELEASE_YEAR} AS release_year
FROM tracks, websearch_to_tsquery('english', %(words)s) AS query
WHERE {SEARCHED_TEXT} @@ query
ORDER BY ts_rank({SEARCHED_TEXT}, query) DESC, name, track_id
LIMIT 20
"""


class Question(NamedTuple):
    """A question to the payloads: a condition on `tracks`, and the index meant for it."""

    title: str
    condition: str
    index: str

    @property
    def sql(self):
        """The first ten tracks of which it is true, each with the number of all."""
        return f"""
SELECT name, artist_name, album_name, spotify_url, {RELEASE_YEAR} AS release_year, count(*) OVER () AS total
FROM tracks
WHERE {self.condition}
ORDER BY name, track_id
LIMIT 10
"""


QUESTIONS = [
    Question("Released in this year", f"{RELEASE_YEAR} = %(year)s", "idx_tracks_release_year"),
    Question("With this artist among its artists", "raw_json @> %(with_artist)s", "idx_tracks_payload"),
    Question("With an ISRC", "raw_json -> 'external_ids' ? 'isrc'", "idx_tracks_external_ids"),
    Question("Explicit", """raw_json @> '{"explicit": true}'""", "idx_tracks_payload"),
]
