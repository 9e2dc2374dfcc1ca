CREATE TABLE span (name TEXT PRIMARY KEY, kind TEXT NOT NULL DEFAULT 'short' CHECK (kind <> ''));
CREATE TABLE play (id INTEGER PRIMARY KEY, span TEXT REFERENCES span (name), kind TEXT DEFAULT 'short', title TEXT NOT NULL, mood TEXT);
CREATE INDEX play_kind ON play (kind);
INSERT INTO span VALUES ('short', 'short'), ('long', 'long');
INSERT INTO play VALUES (1, 'short', 'short', 'Sinnerman', 'sad'), (2, 'long', 'long', 'So What', 'so so'), (3, NULL, NULL, 'Gymnopedie', NULL);
