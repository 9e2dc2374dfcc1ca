SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "name" TYPE character varying(40);
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ADD COLUMN "works__new" bigint;
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
ALTER TABLE "artist" ALTER COLUMN "score" TYPE numeric(8,2);
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "artist" SET "works__new" = "works" WHERE "works__new" IS NULL AND "works" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~works__new" ON "artist";
DROP FUNCTION "artist_works__new"();
ALTER TABLE "artist" DROP COLUMN "works";
ALTER TABLE "artist" RENAME COLUMN "works__new" TO "works";
COMMIT;
