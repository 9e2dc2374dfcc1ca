SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
CREATE TYPE feeling AS ENUM ('sad', 'so so', 'it''s fine');
CREATE TYPE length AS ENUM ('short', 'medium', 'long');
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" DROP CONSTRAINT "play_span_fkey";
ALTER TABLE "play" ALTER COLUMN "kind" DROP DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "span" ALTER COLUMN "name" TYPE length USING "name"::text::length;
ALTER TABLE "play" ALTER COLUMN "span" TYPE length USING "span"::text::length;
ALTER TABLE "play" ALTER COLUMN "kind" TYPE length USING "kind"::text::length;
ALTER TABLE "play" ALTER COLUMN "mood" TYPE feeling USING "mood"::text::feeling;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'medium';
ALTER TABLE "play" ADD COLUMN "rating" feeling NOT NULL DEFAULT ('it''s fine');
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "play_long" ON "play" USING btree ("title") WHERE kind >= 'medium';
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "play" ADD CONSTRAINT "play_kind_check" CHECK (kind <> 'medium' OR title <> '') NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "play" VALIDATE CONSTRAINT "play_kind_check";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "play" ADD CONSTRAINT "play_span_fkey" FOREIGN KEY ("span") REFERENCES "span" ("name") NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "play" VALIDATE CONSTRAINT "play_span_fkey";
