SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" RENAME COLUMN "born" TO "birthday";
ALTER TABLE "artist" RENAME COLUMN "works" TO "opus";
ALTER TABLE "song" RENAME COLUMN "artist_id" TO "performer";
ALTER TABLE "song" RENAME COLUMN "payload" TO "document";
ALTER TABLE "song" DROP CONSTRAINT "song_artist_id_fkey";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ALTER COLUMN "birthday" TYPE date USING "birthday"::date;
ALTER TABLE "artist" ALTER COLUMN "opus" TYPE integer;
ALTER TABLE "song" ALTER COLUMN "performer" TYPE integer;
ALTER TABLE "song" ALTER COLUMN "document" TYPE jsonb USING "document"::jsonb;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "opus" SET DEFAULT 1;
ALTER TABLE "song" ALTER COLUMN "document" SET DEFAULT '{}';
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_document" ON "song" USING gin ("document");
CREATE UNIQUE INDEX CONCURRENTLY "song_unique" ON "song" USING btree ("document", "price");
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ADD CONSTRAINT "artist_birthday_check" CHECK (birthday > '1900-01-01') NOT VALID;
ALTER TABLE "artist" ADD CONSTRAINT "artist_opus__not_null" CHECK ("opus" IS NOT NULL) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_birthday_check";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_opus__not_null";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "opus" SET NOT NULL;
ALTER TABLE "artist" DROP CONSTRAINT "artist_opus__not_null";
ALTER TABLE "song" ADD CONSTRAINT "song_performer_fkey" FOREIGN KEY ("performer") REFERENCES "artist" ("id") ON DELETE CASCADE NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_performer_fkey";
