SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" RENAME COLUMN "id" TO "key";
ALTER TABLE "artist" RENAME COLUMN "name" TO "artist_name";
ALTER TABLE "artist" RENAME COLUMN "works" TO "works_count";
ALTER TABLE "artist" RENAME COLUMN "score" TO "order";
ALTER TABLE "artist" RENAME COLUMN "note" TO "remark";
ALTER TABLE "song" RENAME COLUMN "artist_id" TO "performer_id";
ALTER TABLE "song" RENAME COLUMN "title" TO "name";
ALTER TABLE "artist" RENAME CONSTRAINT "artist_name_key" TO "artist_artist_name_key";
ALTER TABLE "artist" RENAME CONSTRAINT "artist_score_check" TO "artist_order_check";
ALTER TABLE "song" RENAME CONSTRAINT "song_artist_id_fkey" TO "song_performer_id_fkey";
COMMIT;
