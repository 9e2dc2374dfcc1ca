SET search_path = "public";

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_title" ON "song" USING btree ("title");
