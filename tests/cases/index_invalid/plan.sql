SET search_path = "public";

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_by__new" ON "song" USING btree ("title");
DROP INDEX CONCURRENTLY "song_by";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER INDEX "song_by__new" RENAME TO "song_by";
