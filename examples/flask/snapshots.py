"""A page of Spotify's `/me/top/tracks`: checked, and stored as the snapshot of a day."""

import json
from typing import NamedTuple

from psycopg2.extras import execute_values

TIME_RANGES = ("short_term", "medium_term", "long_term")


class BadPage(Exception):
    """The body is not a page of tracks; the message says where."""


class Track(NamedTuple):
    """A row of `tracks`, and the track's rank on the page."""

    track_id: str
    name: str
    artist_name: str
    album_name: str | None
    duration_ms: int | None
    spotify_url: str | None
    raw_json: str
    rank: int


def read_page(body):
    """The page's tracks. A track that it names twice has the better of its ranks.

    Python's `json` reads more than JSON: `NaN`, numbers beyond any float, half a surrogate pair. PostgreSQL takes none.
    """
    try:
        page = json.loads(body)
        json.dumps(page, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadPage("the body is not JSON") from error
    items = expect(dict, page, "the body").get("items")
    offset = expect(int, page.get("offset", 0), "offset")
    if not 0 <= offset <= 10_000:
        raise BadPage("offset is not between 0 and 10000")
    tracks = {}
    for position, item in enumerate(expect(list, items, "items")):
        track = read_track(item, f"items[{position}]", rank=offset + position + 1)
        tracks.setdefault(track.track_id, track)
    return list(tracks.values())


def read_track(item, place, rank):
    """The row that a track object becomes."""
    item = expect(dict, item, place)
    artists = expect(list, item.get("artists"), f"{place}.artists")
    album = expect(dict, item.get("album", {}), f"{place}.album")
    links = expect(dict, item.get("external_urls", {}), f"{place}.external_urls")
    track_id = text(item.get("id"), f"{place}.id")
    if not 1 <= len(track_id) <= 64:
        raise BadPage(f"{place}.id has not between 1 and 64 characters")
    return Track(
        track_id=track_id,
        name=text(item.get("name"), f"{place}.name"),
        artist_name=", ".join(
            text(expect(dict, artist, f"{place}.artists[{index}]").get("name"), f"{place}.artists[{index}].name")
            for index, artist in enumerate(artists)
        ),
        album_name=optional(text, album.get("name"), f"{place}.album.name"),
        duration_ms=optional(milliseconds, item.get("duration_ms"), f"{place}.duration_ms"),
        spotify_url=optional(text, links.get("spotify"), f"{place}.external_urls.spotify"),
        raw_json=json.dumps(item, ensure_ascii=False),
        rank=rank,
    )


def expect(kind, value, place):
    """The value, if it is of that JSON type. Python's `True` is an `int`, JSON's `true` is no number."""
    if not isinstance(value, kind) or isinstance(value, bool):
        names = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}
        raise BadPage(f"{place} is not {names[kind]}")
    return value


def text(value, place):
    """A text that PostgreSQL can hold: any without the character U+0000."""
    if "\0" in expect(str, value, place):
        raise BadPage(f"{place} holds the character U+0000")
    return value


def milliseconds(value, place):
    """A duration that fits an integer column."""
    if not 0 <= expect(int, value, place) < 2**31:
        raise BadPage(f"{place} is not between 0 and 2147483647")
    return value


def optional(check, value, place):
    """What the check makes of the value, unless there is none."""
    return None if value is None else check(value, place)


# What is as it was stays untouched: a page that is sent again writes nothing.
STORE_TRACKS = """
INSERT INTO tracks (track_id, name, artist_name, album_name, duration_ms, spotify_url, raw_json)
VALUES %s
ON CONFLICT (track_id) DO UPDATE
SET (name, artist_name, album_name, duration_ms, spotify_url, raw_json, updated_at)
  = (excluded.name, excluded.artist_name, excluded.album_name, excluded.duration_ms, excluded.spotify_url,
     excluded.raw_json, now())
WHERE (tracks.name, tracks.artist_name, tracks.album_name, tracks.duration_ms, tracks.spotify_url, tracks.raw_json)
   IS DISTINCT FROM
      (excluded.name, excluded.artist_name, excluded.album_name, excluded.duration_ms, excluded.spotify_url,
       excluded.raw_json)
"""

STORE_RANKS = """
INSERT INTO snapshots (track_id, snapshot_date, time_range, rank)
VALUES %s
ON CONFLICT (track_id, snapshot_date, time_range) DO UPDATE SET rank = excluded.rank, updated_at = now()
WHERE snapshots.rank <> excluded.rank
"""


def store(cursor, tracks, snapshot_date, time_range):
    """Writes a page's tracks and their ranks.

    Each row is locked until the transaction ends. All writers go by the order of the keys, first in `tracks` and then in
    `snapshots`: so one may wait for another, but never two for each other.
    """
    ordered = sorted(tracks)
    execute_values(cursor, STORE_TRACKS, [track[:-1] for track in ordered])
    execute_values(
        cursor, STORE_RANKS, [(track.track_id, snapshot_date, time_range, track.rank) for track in ordered]
    )
