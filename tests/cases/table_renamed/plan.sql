SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" RENAME TO "performer";
ALTER TABLE "song" RENAME TO "track";
ALTER TABLE "track" RENAME COLUMN "artist_id" TO "performer_id";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_check" TO "performer_check";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_name_key" TO "performer_name_key";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_pkey" TO "performer_pkey";
ALTER TABLE "performer" RENAME CONSTRAINT "artist_score_check" TO "performer_score_check";
ALTER TABLE "track" RENAME CONSTRAINT "song_artist_id_fkey" TO "track_performer_id_fkey";
ALTER TABLE "track" RENAME CONSTRAINT "song_pkey" TO "track_pkey";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "track" ADD COLUMN "title__new" character varying(80);
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "track_title__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."title__new" := NEW."title";
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~title__new" BEFORE INSERT OR UPDATE ON "track" FOR EACH ROW EXECUTE FUNCTION "track_title__new"();
ALTER TABLE "track" ADD CONSTRAINT "track_title__new" CHECK (("title__new" IS NULL) = ("title" IS NULL)) NOT VALID;
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "track" SET "title__new" = "title" WHERE "title__new" IS NULL AND "title" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "track" VALIDATE CONSTRAINT "track_title__new";
CREATE INDEX CONCURRENTLY "song_by_title__new" ON "track" USING btree ("title__new", "price");
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~title__new" ON "track";
DROP FUNCTION "track_title__new"();
ALTER TABLE "track" DROP COLUMN "title";
ALTER TABLE "track" RENAME COLUMN "title__new" TO "title";
ALTER INDEX "song_by_title__new" RENAME TO "song_by_title";
COMMIT;
