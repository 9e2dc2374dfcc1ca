SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
DROP INDEX "song_by";
DROP INDEX "song_by_price";
ALTER TABLE "song" DROP COLUMN "isrc";
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_by" ON "song" USING btree ("title");
