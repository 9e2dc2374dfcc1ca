SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
CREATE TYPE feeling AS ENUM ('sad', 'so so', 'it''s fine');
CREATE TYPE length AS ENUM ('short', 'medium', 'long');
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" DROP CONSTRAINT "play_span_fkey";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "span" ALTER COLUMN "name" TYPE length USING "name"::text::length;
ALTER TABLE "play" ADD COLUMN "span__new" length;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "play_span__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."span__new" := NEW."span"::text::length;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~span__new" BEFORE INSERT OR UPDATE ON "play" FOR EACH ROW EXECUTE FUNCTION "play_span__new"();
ALTER TABLE "play" ADD CONSTRAINT "play_span__new" CHECK (("span__new" IS NULL) = ("span" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "play" ADD COLUMN "kind__new" length;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "play_kind__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."kind__new" := NEW."kind"::text::length;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~kind__new" BEFORE INSERT OR UPDATE ON "play" FOR EACH ROW EXECUTE FUNCTION "play_kind__new"();
ALTER TABLE "play" ADD CONSTRAINT "play_kind__new" CHECK (("kind__new" IS NULL) = ("kind" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "play" ADD COLUMN "mood__new" feeling;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "play_mood__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."mood__new" := NEW."mood"::text::feeling;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~mood__new" BEFORE INSERT OR UPDATE ON "play" FOR EACH ROW EXECUTE FUNCTION "play_mood__new"();
ALTER TABLE "play" ADD CONSTRAINT "play_mood__new" CHECK (("mood__new" IS NULL) = ("mood" IS NULL)) NOT VALID;
ALTER TABLE "play" ADD COLUMN "rating" feeling NOT NULL DEFAULT ('it''s fine');
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "play" SET "span__new" = "span"::text::length WHERE "span__new" IS NULL AND "span" IS NOT NULL;
UPDATE "play" SET "kind__new" = "kind"::text::length WHERE "kind__new" IS NULL AND "kind" IS NOT NULL;
UPDATE "play" SET "mood__new" = "mood"::text::feeling WHERE "mood__new" IS NULL AND "mood" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "play" VALIDATE CONSTRAINT "play_span__new";
ALTER TABLE "play" VALIDATE CONSTRAINT "play_kind__new";
ALTER TABLE "play" VALIDATE CONSTRAINT "play_mood__new";
CREATE INDEX CONCURRENTLY "play_kind__new" ON "play" USING btree ("kind__new");
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~span__new" ON "play";
DROP FUNCTION "play_span__new"();
ALTER TABLE "play" DROP COLUMN "span";
ALTER TABLE "play" RENAME COLUMN "span__new" TO "span";
COMMIT;
BEGIN;
DROP TRIGGER "~kind__new" ON "play";
DROP FUNCTION "play_kind__new"();
ALTER TABLE "play" DROP COLUMN "kind";
ALTER TABLE "play" RENAME COLUMN "kind__new" TO "kind";
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'medium';
ALTER INDEX "play_kind__new" RENAME TO "play_kind";
COMMIT;
BEGIN;
DROP TRIGGER "~mood__new" ON "play";
DROP FUNCTION "play_mood__new"();
ALTER TABLE "play" DROP COLUMN "mood";
ALTER TABLE "play" RENAME COLUMN "mood__new" TO "mood";
COMMIT;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
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
