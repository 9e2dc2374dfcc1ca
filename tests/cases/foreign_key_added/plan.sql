SET search_path = "public";

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "song" ADD CONSTRAINT "song_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_artist_id_fkey";
