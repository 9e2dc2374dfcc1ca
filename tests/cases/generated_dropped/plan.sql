SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
DROP INDEX "song_shown";
ALTER TABLE "song" DROP COLUMN "shown";
ALTER TABLE "song" DROP COLUMN "base";
COMMIT;
