CREATE VIEW best AS SELECT * FROM chart WHERE rank = 1;
CREATE INDEX somebodys ON chart (artist_id);
GRANT SELECT ON chart TO PUBLIC
