CREATE VIEW best AS SELECT * FROM chart WHERE rank = 1;
CREATE INDEX somebodys ON chart (artist_id);
CREATE TABLE of_somebody (id bigint, day date, FOREIGN KEY (id, day) REFERENCES chart (id, day));
GRANT SELECT ON chart TO PUBLIC
