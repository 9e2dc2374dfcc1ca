SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
COMMENT ON TABLE "song" IS NULL;
COMMENT ON COLUMN "song"."title" IS NULL;
COMMENT ON COLUMN "song"."isrc" IS NULL;
COMMIT;
