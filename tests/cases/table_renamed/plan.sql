SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" RENAME TO "performer";
ALTER TABLE "song" RENAME TO "track";
ALTER TABLE "track" RENAME COLUMN "artist_id" TO "performer_id";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_check" TO "performer_check";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_name_key" TO "performer_name_key";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_pkey" TO "performer_pkey";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_score_check" TO "performer_score_check";
ALTER TABLE "track" RENAME CONSTRAINT "song_artist_id_fkey" TO "track_performer_id_fkey";
ALTER TABLE "track" RENAME CONSTRAINT "song_pkey" TO "track_pkey";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "track" ALTER COLUMN "title" TYPE character varying(80);
COMMIT;
