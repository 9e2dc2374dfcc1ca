SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ADD COLUMN "price__new" numeric(8,2);
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "song_price__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."price__new" := NEW."price"::text::numeric;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~price__new" BEFORE INSERT OR UPDATE ON "song" FOR EACH ROW EXECUTE FUNCTION "song_price__new"();
ALTER TABLE "song" ADD CONSTRAINT "song_price__new" CHECK (("price__new" IS NULL) = ("price" IS NULL)) NOT VALID;
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "song" SET "price__new" = "price"::text::numeric WHERE "price__new" IS NULL AND "price" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_price__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~price__new" ON "song";
DROP FUNCTION "song_price__new"();
ALTER TABLE "song" DROP COLUMN "price";
ALTER TABLE "song" RENAME COLUMN "price__new" TO "price";
COMMIT;
