CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE chart (id INTEGER, day TEXT NOT NULL, artist_id INTEGER NOT NULL, rank INTEGER, PRIMARY KEY (id, day));
CREATE TABLE note (chart_id INTEGER, day TEXT, words TEXT, FOREIGN KEY (chart_id, day) REFERENCES chart (id, day));
CREATE INDEX chart_rank ON chart (rank);
INSERT INTO artist VALUES (1, 'Nina'), (2, 'Miles');
INSERT INTO chart VALUES (1, '2025-11-30', 1, 3), (2, '2025-12-31', 2, 1), (3, '2026-01-15', 1, NULL), (1, '2026-02-01', 2, 2);
INSERT INTO note VALUES (2, '2025-12-31', 'a surprise'), (NULL, NULL, 'of nothing');
