"""Makes a SQLite file of the site's export: the way back from PostgreSQL.

    curl -fsS -o export.jsonl https://SITE/export.jsonl && python3 examples/export_to_sqlite.py back.db <export.jsonl

A line is a row: {"table": "tracks", "track_id": "…", …}; the last one counts them. SQLite takes a line apart, and not
Python, so that a payload stays as it is written there and none of its numbers passes through a float. Needs SQLite 3.38.
"""

import os
import sqlite3
import sys

# As the Music Time Machine makes its own file.
SCHEMA = """
CREATE TABLE tracks (
    track_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    artist_name TEXT NOT NULL,
    album_name TEXT,
    duration_ms INTEGER,
    spotify_url TEXT,
    raw_json TEXT
);
CREATE TABLE snapshots (
    track_id TEXT NOT NULL,
    snapshot_date TEXT NOT NULL,
    time_range TEXT NOT NULL,
    rank INTEGER NOT NULL,
    PRIMARY KEY (track_id, snapshot_date, time_range),
    FOREIGN KEY (track_id) REFERENCES tracks(track_id)
);
CREATE INDEX idx_snapshots_date ON snapshots(snapshot_date, time_range);
"""

# `->` gives JSON, `->>` what it means; a line without a payload is of a track that has none.
INSERTS = {
    "tracks": """
        INSERT INTO tracks
        SELECT line ->> 'track_id', line ->> 'name', line ->> 'artist_name', line ->> 'album_name',
               line ->> 'duration_ms', line ->> 'spotify_url', line -> 'raw_json'
        FROM (SELECT ? AS line)""",
    "snapshots": """
        INSERT INTO snapshots
        SELECT line ->> 'track_id', line ->> 'snapshot_date', line ->> 'time_range', line ->> 'rank'
        FROM (SELECT ? AS line)""",
}


def copy(lines, database):
    """Copies the rows, and returns how many there are of each table, and how many there should be."""
    counts = dict.fromkeys(INSERTS, 0)
    for number, line in enumerate(lines, start=1):
        try:
            (table,) = database.execute("SELECT ? ->> 'table'", (line,)).fetchone()
        except sqlite3.OperationalError as error:
            sys.exit(f"line {number} cannot be read: {error}")
        if table == "end":
            return counts, {name: database.execute("SELECT ? ->> ?", (line, name)).fetchone()[0] for name in INSERTS}
        if table not in INSERTS:
            sys.exit(f"line {number} is of the table {table}, which is not known here")
        database.execute(INSERTS[table], (line,))
        counts[table] += 1
    sys.exit("the export was cut off: its last line is missing")


def main(path):
    if os.path.exists(path):
        sys.exit(f"{path} is there already; name a new file")
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.executescript("BEGIN;" + SCHEMA)
        counts, expected = copy(sys.stdin, database)
        if counts != expected:
            sys.exit(f"{counts} were read, and {expected} were sent")
        if orphans := database.execute("PRAGMA foreign_key_check").fetchall():
            sys.exit(f"{len(orphans)} snapshots are of tracks that the export lacks")
        database.execute("COMMIT")
    except BaseException:
        database.close()
        os.remove(path)
        raise
    print(f"{path}: {counts['tracks']} tracks, {counts['snapshots']} snapshots")


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")
    if len(sys.argv) != 2:
        sys.exit(f"usage: python3 {sys.argv[0]} FILE <export.jsonl")
    main(sys.argv[1])
