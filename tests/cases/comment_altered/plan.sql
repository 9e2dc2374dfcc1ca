SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ADD COLUMN "title__new" character varying(100);
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
COMMENT ON TABLE "song" IS 'All songs';
COMMENT ON COLUMN "song"."title" IS 'Its name, as on the sleeve';
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "song" SET "title__new" = "title" WHERE "title__new" IS NULL AND "title" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_title__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~title__new" ON "song";
DROP FUNCTION "song_title__new"();
ALTER TABLE "song" DROP COLUMN "title";
ALTER TABLE "song" RENAME COLUMN "title__new" TO "title";
COMMENT ON COLUMN "song"."title" IS 'Its name, as on the sleeve';
COMMIT;
