SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ALTER COLUMN "payload" TYPE jsonb USING "payload"::jsonb;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "song" ADD COLUMN "first" integer;
ALTER TABLE "song" ADD COLUMN "shout" text;
COMMENT ON COLUMN "song"."shout" IS 'The title in capitals.';
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "song" SET "first" = CAST((payload #>> '{a,0}') AS integer) WHERE "first" IS NULL AND CAST((payload #>> '{a,0}') AS integer) IS NOT NULL;
UPDATE "song" SET "shout" = CAST((upper(title)) AS text) WHERE "shout" IS NULL AND CAST((upper(title)) AS text) IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
CREATE INDEX CONCURRENTLY "song_first" ON "song" USING btree ("first");
