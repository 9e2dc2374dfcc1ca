SET search_path = "public";

-- post-data: a transaction each
CREATE UNIQUE INDEX CONCURRENTLY "song_title" ON "song" USING btree ("title");
CREATE INDEX CONCURRENTLY "song_payload" ON "song" USING gin ("payload" jsonb_path_ops);
CREATE INDEX CONCURRENTLY "song_cheap" ON "song" USING btree ("price" DESC) WHERE price < 1;
