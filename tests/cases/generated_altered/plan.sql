SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
DROP INDEX "song_shown";
DROP INDEX "song_price";
ALTER TABLE "song" DROP CONSTRAINT "song_short";
ALTER TABLE "song" DROP COLUMN "shown";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ADD COLUMN "shown" text GENERATED ALWAYS AS (lower(title)) STORED;
SET LOCAL statement_timeout = '30000ms';
COMMENT ON COLUMN "song"."shown" IS 'What a list shows';
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_shown" ON "song" USING btree ("shown");
CREATE UNIQUE INDEX CONCURRENTLY "song_price" ON "song" USING btree ("price") INCLUDE ("shown") WHERE shown <> '';
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "song" ADD CONSTRAINT "song_short" CHECK (length(shown) < 100) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_short";
