SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" RENAME COLUMN "born" TO "birthday";
ALTER TABLE "artist" RENAME COLUMN "works" TO "opus";
ALTER TABLE "song" RENAME COLUMN "artist_id" TO "performer";
ALTER TABLE "song" RENAME COLUMN "payload" TO "document";
ALTER TABLE "song" DROP CONSTRAINT "song_artist_id_fkey";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ADD COLUMN "birthday__new" date;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "artist_birthday__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."birthday__new" := NEW."birthday"::date;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~birthday__new" BEFORE INSERT OR UPDATE ON "artist" FOR EACH ROW EXECUTE FUNCTION "artist_birthday__new"();
ALTER TABLE "artist" ADD CONSTRAINT "artist_birthday__new" CHECK (("birthday__new" IS NULL) = ("birthday" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ADD COLUMN "opus__new" integer;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "artist_opus__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."opus__new" := NEW."opus";
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~opus__new" BEFORE INSERT OR UPDATE ON "artist" FOR EACH ROW EXECUTE FUNCTION "artist_opus__new"();
ALTER TABLE "artist" ADD CONSTRAINT "artist_opus__new" CHECK (("opus__new" IS NULL) = ("opus" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ADD COLUMN "performer__new" integer;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "song_performer__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."performer__new" := NEW."performer";
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~performer__new" BEFORE INSERT OR UPDATE ON "song" FOR EACH ROW EXECUTE FUNCTION "song_performer__new"();
ALTER TABLE "song" ADD CONSTRAINT "song_performer__new" CHECK (("performer__new" IS NULL) = ("performer" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ADD COLUMN "document__new" jsonb;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "song_document__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."document__new" := NEW."document"::jsonb;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~document__new" BEFORE INSERT OR UPDATE ON "song" FOR EACH ROW EXECUTE FUNCTION "song_document__new"();
ALTER TABLE "song" ADD CONSTRAINT "song_document__new" CHECK (("document__new" IS NULL) = ("document" IS NULL)) NOT VALID;
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "artist" SET "birthday__new" = "birthday"::date WHERE "birthday__new" IS NULL AND "birthday" IS NOT NULL;
UPDATE "artist" SET "opus__new" = "opus" WHERE "opus__new" IS NULL AND "opus" IS NOT NULL;
UPDATE "song" SET "performer__new" = "performer" WHERE "performer__new" IS NULL AND "performer" IS NOT NULL;
UPDATE "song" SET "document__new" = "document"::jsonb WHERE "document__new" IS NULL AND "document" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_birthday__new";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_opus__new";
ALTER TABLE "song" VALIDATE CONSTRAINT "song_performer__new";
ALTER TABLE "song" VALIDATE CONSTRAINT "song_document__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~birthday__new" ON "artist";
DROP FUNCTION "artist_birthday__new"();
ALTER TABLE "artist" DROP COLUMN "birthday";
ALTER TABLE "artist" RENAME COLUMN "birthday__new" TO "birthday";
COMMIT;
BEGIN;
DROP TRIGGER "~opus__new" ON "artist";
DROP FUNCTION "artist_opus__new"();
ALTER TABLE "artist" DROP COLUMN "opus";
ALTER TABLE "artist" RENAME COLUMN "opus__new" TO "opus";
ALTER TABLE "artist" ALTER COLUMN "opus" SET DEFAULT 1;
ALTER TABLE "artist" ADD CONSTRAINT "artist_check" CHECK ("opus" >= 0) NOT VALID;
COMMIT;
BEGIN;
DROP TRIGGER "~performer__new" ON "song";
DROP FUNCTION "song_performer__new"();
ALTER TABLE "song" DROP COLUMN "performer";
ALTER TABLE "song" RENAME COLUMN "performer__new" TO "performer";
COMMIT;
BEGIN;
DROP TRIGGER "~document__new" ON "song";
DROP FUNCTION "song_document__new"();
ALTER TABLE "song" DROP COLUMN "document";
ALTER TABLE "song" RENAME COLUMN "document__new" TO "document";
ALTER TABLE "song" ALTER COLUMN "document" SET DEFAULT '{}';
COMMIT;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
CREATE INDEX CONCURRENTLY "song_document" ON "song" USING gin ("document");
CREATE UNIQUE INDEX CONCURRENTLY "song_unique" ON "song" USING btree ("document", "price");
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ADD CONSTRAINT "artist_birthday_check" CHECK (birthday > '1900-01-01') NOT VALID;
ALTER TABLE "artist" ADD CONSTRAINT "artist_opus__not_null" CHECK ("opus" IS NOT NULL) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_check";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_birthday_check";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_opus__not_null";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "opus" SET NOT NULL;
ALTER TABLE "artist" DROP CONSTRAINT "artist_opus__not_null";
ALTER TABLE "song" ADD CONSTRAINT "song_performer_fkey" FOREIGN KEY ("performer") REFERENCES "artist" ("id") ON DELETE CASCADE NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_performer_fkey";
