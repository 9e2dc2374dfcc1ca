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
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "artist" SET "born__new" = "born"::date WHERE "born__new" IS NULL AND "born" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_born__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~born__new" ON "artist";
DROP FUNCTION "artist_born__new"();
ALTER TABLE "artist" DROP COLUMN "born";
ALTER TABLE "artist" RENAME COLUMN "born__new" TO "born";
COMMIT;
