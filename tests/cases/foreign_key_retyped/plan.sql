SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "song" DROP CONSTRAINT "song_artist_id_fkey";
RESET statement_timeout;
ALTER TABLE "artist" ALTER COLUMN "id" TYPE integer;
ALTER TABLE "song" ALTER COLUMN "artist_id" TYPE integer;

-- post-data
SET statement_timeout = '30000ms';
ALTER TABLE "song" ADD CONSTRAINT "song_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") NOT VALID;
RESET lock_timeout;
RESET statement_timeout;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_artist_id_fkey";
