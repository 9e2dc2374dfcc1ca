CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born TEXT, works INTEGER, score REAL);
CREATE TABLE song (id INTEGER PRIMARY KEY, artist_id INTEGER, title TEXT, payload TEXT, price REAL);
INSERT INTO artist VALUES (1, 'Nina', '1933-02-21', 40, 9.5), (2, 'Miles', '1926-05-26', 60, 9.25), (3, 'Erik', NULL, 3, 7.0);
INSERT INTO song VALUES (1, 1, 'Sinnerman', '{"b": 1, "a": [1, 2]}', 0.99), (2, 2, 'So What', '{"a": null}', 1.29), (3, NULL, 'Gymnopedie', NULL, 0.5);
