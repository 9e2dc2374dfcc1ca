SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
DROP INDEX "song_cents";
ALTER TABLE "song" DROP CONSTRAINT "song_twice";
ALTER TABLE "song" DROP COLUMN "shown";
ALTER TABLE "song" DROP COLUMN "twice";
ALTER TABLE "song" DROP COLUMN "cents";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ALTER COLUMN "title" TYPE character varying(50);
ALTER TABLE "song" ALTER COLUMN "price" TYPE numeric(10,2) USING "price"::text::numeric;
ALTER TABLE "song" ADD COLUMN "shown" character varying(80) GENERATED ALWAYS AS (title) STORED;
ALTER TABLE "song" ADD COLUMN "twice" numeric GENERATED ALWAYS AS (price * 2) STORED;
ALTER TABLE "song" ADD COLUMN "cents" bigint GENERATED ALWAYS AS (price * 100) STORED;
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_cents" ON "song" USING btree ("cents");
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "song" ADD CONSTRAINT "song_twice" CHECK (twice > 0) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_twice";
