SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "song" DROP CONSTRAINT "song_artist_id_fkey";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ALTER COLUMN "id" TYPE integer;
ALTER TABLE "song" ADD COLUMN "artist_id__new" integer;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "song_artist_id__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."artist_id__new" := NEW."artist_id";
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~artist_id__new" BEFORE INSERT OR UPDATE ON "song" FOR EACH ROW EXECUTE FUNCTION "song_artist_id__new"();
ALTER TABLE "song" ADD CONSTRAINT "song_artist_id__new" CHECK (("artist_id__new" IS NULL) = ("artist_id" IS NULL)) NOT VALID;
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "song" SET "artist_id__new" = "artist_id" WHERE "artist_id__new" IS NULL AND "artist_id" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_artist_id__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~artist_id__new" ON "song";
DROP FUNCTION "song_artist_id__new"();
ALTER TABLE "song" DROP COLUMN "artist_id";
ALTER TABLE "song" RENAME COLUMN "artist_id__new" TO "artist_id";
COMMIT;
ALTER TABLE "song" ADD CONSTRAINT "song_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "song" VALIDATE CONSTRAINT "song_artist_id_fkey";
