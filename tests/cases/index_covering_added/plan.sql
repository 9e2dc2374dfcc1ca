SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "song" ADD COLUMN "isrc" text;
COMMIT;

-- post-data: a transaction each
CREATE UNIQUE INDEX CONCURRENTLY "artist_born" ON "artist" USING btree ("born") NULLS NOT DISTINCT WHERE works > 1;
CREATE UNIQUE INDEX CONCURRENTLY "song_by_title" ON "song" USING btree ("title") INCLUDE ("price", "isrc");
CREATE INDEX CONCURRENTLY "song_by_price" ON "song" USING btree ("price" DESC NULLS LAST, (lower(title)) NULLS FIRST);
