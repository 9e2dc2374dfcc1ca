-- The Music Time Machine's two tables, as its application creates them.
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
