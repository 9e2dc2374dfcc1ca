SET search_path = "public";

-- pre-data

-- post-data
CREATE INDEX CONCURRENTLY "song_title" ON "song" USING btree ("title");
