SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
DROP INDEX "song_shown";
ALTER TABLE "song" DROP COLUMN "shown";
ALTER TABLE "song" DROP COLUMN "cents";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ADD COLUMN "shown" text GENERATED ALWAYS AS (title) STORED;
ALTER TABLE "song" ADD COLUMN "cents" integer GENERATED ALWAYS AS (price * 100) STORED;
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_shown" ON "song" USING btree ("shown");
