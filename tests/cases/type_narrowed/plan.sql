SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "artist" ADD COLUMN "name__new" character varying(20);
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "artist_name__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."name__new" := NEW."name";
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~name__new" BEFORE INSERT OR UPDATE ON "artist" FOR EACH ROW EXECUTE FUNCTION "artist_name__new"();
ALTER TABLE "artist" ADD CONSTRAINT "artist_name__new" CHECK ("name__new" IS NOT NULL) NOT VALID;
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
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "artist" SET "name__new" = "name" WHERE "name__new" IS NULL AND "name" IS NOT NULL;
UPDATE "artist" SET "works__new" = "works" WHERE "works__new" IS NULL AND "works" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_name__new";
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~name__new" ON "artist";
DROP FUNCTION "artist_name__new"();
ALTER TABLE "artist" DROP COLUMN "name";
ALTER TABLE "artist" RENAME COLUMN "name__new" TO "name";
ALTER TABLE "artist" ALTER COLUMN "name" SET NOT NULL;
ALTER TABLE "artist" DROP CONSTRAINT "artist_name__new";
COMMIT;
BEGIN;
DROP TRIGGER "~works__new" ON "artist";
DROP FUNCTION "artist_works__new"();
ALTER TABLE "artist" DROP COLUMN "works";
ALTER TABLE "artist" RENAME COLUMN "works__new" TO "works";
COMMIT;
