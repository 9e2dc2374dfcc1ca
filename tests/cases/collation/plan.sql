SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "artist" ALTER COLUMN "name" TYPE text COLLATE "C";
COMMIT;
