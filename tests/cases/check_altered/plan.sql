SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" DROP CONSTRAINT "artist_works";
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ADD CONSTRAINT "artist_works" CHECK (works >= 0) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works";
