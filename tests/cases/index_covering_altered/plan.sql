SET search_path = "public";

-- post-data: a transaction each
CREATE UNIQUE INDEX CONCURRENTLY "artist_born__new" ON "artist" USING btree ("born") NULLS NOT DISTINCT;
CREATE INDEX CONCURRENTLY "song_by__new" ON "song" USING btree ("title") INCLUDE ("price", "artist_id");
CREATE INDEX CONCURRENTLY "song_by_price__new" ON "song" USING btree ("price" DESC NULLS LAST);
DROP INDEX CONCURRENTLY "artist_born";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER INDEX "artist_born__new" RENAME TO "artist_born";
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
DROP INDEX CONCURRENTLY "song_by";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER INDEX "song_by__new" RENAME TO "song_by";
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
DROP INDEX CONCURRENTLY "song_by_price";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER INDEX "song_by_price__new" RENAME TO "song_by_price";
