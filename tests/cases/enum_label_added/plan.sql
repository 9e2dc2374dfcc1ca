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
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "span" ADD COLUMN "kind__new" length;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "span_kind__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."kind__new" := NEW."kind"::text::length;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~kind__new" BEFORE INSERT OR UPDATE ON "span" FOR EACH ROW EXECUTE FUNCTION "span_kind__new"();
ALTER TABLE "span" ADD CONSTRAINT "span_kind__new" CHECK ("kind__new" IS NOT NULL) NOT VALID;
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'medium';
ALTER TABLE "play" ADD COLUMN "rating" feeling NOT NULL DEFAULT ('fine');
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "span" SET "kind__new" = "kind"::text::length WHERE "kind__new" IS NULL AND "kind" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "span" VALIDATE CONSTRAINT "span_kind__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~kind__new" ON "span";
DROP FUNCTION "span_kind__new"();
ALTER TABLE "span" DROP COLUMN "kind";
ALTER TABLE "span" RENAME COLUMN "kind__new" TO "kind";
ALTER TABLE "span" ALTER COLUMN "kind" SET NOT NULL;
ALTER TABLE "span" DROP CONSTRAINT "span_kind__new";
ALTER TABLE "span" ALTER COLUMN "kind" SET DEFAULT 'short';
COMMIT;
ALTER TABLE "play" ADD CONSTRAINT "play_kind_check" CHECK (kind <> 'shortest') NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "play" VALIDATE CONSTRAINT "play_kind_check";
