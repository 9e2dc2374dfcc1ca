SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" DROP CONSTRAINT "artist_works";

-- post-data
ALTER TABLE "artist" ADD CONSTRAINT "artist_works" CHECK (works >= 0) NOT VALID;
RESET lock_timeout;
RESET statement_timeout;
ALTER TABLE "artist" VALIDATE CONSTRAINT "artist_works";
