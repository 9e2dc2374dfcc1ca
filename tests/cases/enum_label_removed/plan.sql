SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TYPE length RENAME TO length__old;
CREATE TYPE length AS ENUM ('short', 'medium', 'long');
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" DROP CONSTRAINT "play_span_fkey";
DROP INDEX "play_long";
ALTER TABLE "play" DROP CONSTRAINT "play_kind_check";
ALTER TABLE "span" ALTER COLUMN "kind" DROP DEFAULT;
ALTER TABLE "play" ALTER COLUMN "kind" DROP DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "span" ALTER COLUMN "name" TYPE length USING "name"::text::length;
ALTER TABLE "span" ALTER COLUMN "kind" TYPE length USING "kind"::text::length;
ALTER TABLE "play" ALTER COLUMN "span" TYPE length USING "span"::text::length;
ALTER TABLE "play" ALTER COLUMN "kind" TYPE length USING "kind"::text::length;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "span" ALTER COLUMN "kind" SET DEFAULT 'short';
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'short';
SET LOCAL statement_timeout TO DEFAULT;
DROP TYPE length__old;
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "play_long" ON "play" USING btree ("title") WHERE kind >= 'long';
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "play" ADD CONSTRAINT "play_kind_check" CHECK (kind <> 'medium') NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "play" VALIDATE CONSTRAINT "play_kind_check";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "play" ADD CONSTRAINT "play_span_fkey" FOREIGN KEY ("span") REFERENCES "span" ("name") NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "play" VALIDATE CONSTRAINT "play_span_fkey";
