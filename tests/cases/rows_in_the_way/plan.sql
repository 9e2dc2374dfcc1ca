SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "artist" ADD COLUMN "born__new" date;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "artist_born__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."born__new" := NEW."born"::date;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~born__new" BEFORE INSERT OR UPDATE ON "artist" FOR EACH ROW EXECUTE FUNCTION "artist_born__new"();
ALTER TABLE "artist" ADD CONSTRAINT "artist_born__new" CHECK (("born__new" IS NULL) = ("born" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ADD COLUMN "works__new" smallint;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "artist_works__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."works__new" := NEW."works";
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~works__new" BEFORE INSERT OR UPDATE ON "artist" FOR EACH ROW EXECUTE FUNCTION "artist_works__new"();
ALTER TABLE "artist" ADD CONSTRAINT "artist_works__new" CHECK (("works__new" IS NULL) = ("works" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ADD COLUMN "title__new" character varying(12);
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "song_title__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."title__new" := NEW."title";
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~title__new" BEFORE INSERT OR UPDATE ON "song" FOR EACH ROW EXECUTE FUNCTION "song_title__new"();
ALTER TABLE "song" ADD CONSTRAINT "song_title__new" CHECK (("title__new" IS NULL) = ("title" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ADD COLUMN "payload__new" jsonb;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "song_payload__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."payload__new" := NEW."payload"::jsonb;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~payload__new" BEFORE INSERT OR UPDATE ON "song" FOR EACH ROW EXECUTE FUNCTION "song_payload__new"();
ALTER TABLE "song" ADD CONSTRAINT "song_payload__new" CHECK (("payload__new" IS NULL) = ("payload" IS NULL)) NOT VALID;
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "artist" SET "born__new" = "born"::date WHERE "born__new" IS NULL AND "born" IS NOT NULL;
UPDATE "artist" SET "works__new" = "works" WHERE "works__new" IS NULL AND "works" IS NOT NULL;
UPDATE "song" SET "title__new" = "title" WHERE "title__new" IS NULL AND "title" IS NOT NULL;
UPDATE "song" SET "payload__new" = "payload"::jsonb WHERE "payload__new" IS NULL AND "payload" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_born__new";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works__new";
ALTER TABLE "song" VALIDATE CONSTRAINT "song_title__new";
ALTER TABLE "song" VALIDATE CONSTRAINT "song_payload__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~born__new" ON "artist";
DROP FUNCTION "artist_born__new"();
ALTER TABLE "artist" DROP COLUMN "born";
ALTER TABLE "artist" RENAME COLUMN "born__new" TO "born";
COMMIT;
BEGIN;
DROP TRIGGER "~works__new" ON "artist";
DROP FUNCTION "artist_works__new"();
ALTER TABLE "artist" DROP COLUMN "works";
ALTER TABLE "artist" RENAME COLUMN "works__new" TO "works";
COMMIT;
BEGIN;
DROP TRIGGER "~title__new" ON "song";
DROP FUNCTION "song_title__new"();
ALTER TABLE "song" DROP COLUMN "title";
ALTER TABLE "song" RENAME COLUMN "title__new" TO "title";
COMMIT;
BEGIN;
DROP TRIGGER "~payload__new" ON "song";
DROP FUNCTION "song_payload__new"();
ALTER TABLE "song" DROP COLUMN "payload";
ALTER TABLE "song" RENAME COLUMN "payload__new" TO "payload";
COMMIT;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
CREATE UNIQUE INDEX CONCURRENTLY "artist_name" ON "artist" USING btree ("name");
CREATE UNIQUE INDEX CONCURRENTLY "song_price" ON "song" USING btree ((nullif(price, 0.5))) NULLS NOT DISTINCT;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ADD CONSTRAINT "artist_works_check" CHECK (works < 1000) NOT VALID;
ALTER TABLE "artist" ADD CONSTRAINT "artist_works__not_null" CHECK ("works" IS NOT NULL) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works_check";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works__not_null";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "works" SET NOT NULL;
ALTER TABLE "artist" DROP CONSTRAINT "artist_works__not_null";
ALTER TABLE "song" ADD CONSTRAINT "song_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_artist_id_fkey";
