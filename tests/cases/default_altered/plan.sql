SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "born" DROP DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ALTER COLUMN "born" TYPE date USING "born"::date;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "born" SET DEFAULT '1901-01-01';
ALTER TABLE "artist" ALTER COLUMN "works" SET DEFAULT 2;
ALTER TABLE "artist" ALTER COLUMN "score" SET DEFAULT 1.5;
COMMIT;
