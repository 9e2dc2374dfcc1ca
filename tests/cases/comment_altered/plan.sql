SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ALTER COLUMN "title" TYPE character varying(100);
SET LOCAL statement_timeout = '30000ms';
COMMENT ON TABLE "song" IS 'All songs';
COMMENT ON COLUMN "song"."title" IS 'Its name, as on the sleeve';
COMMIT;
