SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP INDEX "song_by";

-- post-data
RESET lock_timeout;
RESET statement_timeout;
CREATE INDEX CONCURRENTLY "song_by" ON "song" USING btree ("title");
