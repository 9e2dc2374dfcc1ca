SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "song" ADD COLUMN "price_class" text;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ADD COLUMN "shown" text NOT NULL GENERATED ALWAYS AS (coalesce(title, price_class)) STORED;
ALTER TABLE "song" ADD COLUMN "parts" integer GENERATED ALWAYS AS ((payload ->> 'b')::integer) STORED;
SET LOCAL statement_timeout = '30000ms';
COMMENT ON COLUMN "song"."shown" IS 'What a list shows';
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_shown" ON "song" USING btree ("shown") INCLUDE ("parts");
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "song" ADD CONSTRAINT "song_parts" CHECK (parts < 100) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_parts";
