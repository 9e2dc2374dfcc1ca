SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ALTER COLUMN "title" TYPE character varying(50);
SET LOCAL statement_timeout = '30000ms';
COMMENT ON COLUMN "song"."price" IS 'What it costs';
COMMIT;
