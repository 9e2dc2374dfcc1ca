SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
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
ALTER TABLE "song" ADD COLUMN "first" integer;
ALTER TABLE "song" ADD COLUMN "shout" text;
COMMENT ON COLUMN "song"."shout" IS 'The title in capitals.';
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "song" SET "payload__new" = "payload"::jsonb WHERE "payload__new" IS NULL AND "payload" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_payload__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~payload__new" ON "song";
DROP FUNCTION "song_payload__new"();
ALTER TABLE "song" DROP COLUMN "payload";
ALTER TABLE "song" RENAME COLUMN "payload__new" TO "payload";
COMMIT;
UPDATE "song" SET "first" = ((payload #>> '{a,0}')::integer) WHERE "first" IS NULL AND ((payload #>> '{a,0}')::integer) IS NOT NULL;
UPDATE "song" SET "shout" = (upper(title)) WHERE "shout" IS NULL AND (upper(title)) IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
CREATE INDEX CONCURRENTLY "song_first" ON "song" USING btree ("first");
