SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "artist" ALTER COLUMN "born" TYPE date USING "born"::date;
ALTER TABLE "artist" ALTER COLUMN "works" TYPE smallint;
ALTER TABLE "song" ALTER COLUMN "title" TYPE character varying(12);
ALTER TABLE "song" ALTER COLUMN "payload" TYPE jsonb USING "payload"::jsonb;
COMMIT;

-- post-data: a transaction each
CREATE UNIQUE INDEX CONCURRENTLY "artist_name" ON "artist" USING btree ("name");
CREATE UNIQUE INDEX CONCURRENTLY "song_price" ON "song" USING btree ((nullif(price, 0.5))) NULLS NOT DISTINCT;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ADD CONSTRAINT "artist_works_check" CHECK (works < 1000) NOT VALID;
ALTER TABLE "artist" ADD CONSTRAINT "artist_works__not_null" CHECK ("works" IS NOT NULL) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works_check";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works__not_null";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "works" SET NOT NULL;
ALTER TABLE "artist" DROP CONSTRAINT "artist_works__not_null";
ALTER TABLE "song" ADD CONSTRAINT "song_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_artist_id_fkey";
