SET search_path = "public";

-- pre-data: nothing in the transaction that adds a label may use it
SET lock_timeout = '3000ms';
ALTER TYPE feeling ADD VALUE IF NOT EXISTS 'fine' AFTER 'so so';
ALTER TYPE length ADD VALUE IF NOT EXISTS 'shortest' BEFORE 'short';
ALTER TYPE length ADD VALUE IF NOT EXISTS 'medium' BEFORE 'long';
ALTER TYPE length ADD VALUE IF NOT EXISTS 'longest of ''all''' AFTER 'long';

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "span" DROP CONSTRAINT "span_check";
ALTER TABLE "span" ALTER COLUMN "kind" DROP DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "span" ALTER COLUMN "kind" TYPE length USING "kind"::text::length;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "span" ALTER COLUMN "kind" SET DEFAULT 'short';
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'medium';
ALTER TABLE "play" ADD COLUMN "rating" feeling NOT NULL DEFAULT ('fine');
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "play" ADD CONSTRAINT "play_kind_check" CHECK (kind <> 'shortest') NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "play" VALIDATE CONSTRAINT "play_kind_check";
