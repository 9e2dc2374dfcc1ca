CREATE INDEX song_by_somebody ON song (price);
