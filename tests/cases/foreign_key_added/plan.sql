SET search_path = "public";

-- pre-data

-- post-data
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "song" ADD CONSTRAINT "song_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") NOT VALID;
RESET lock_timeout;
RESET statement_timeout;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_artist_id_fkey";
