SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "name" TYPE character varying(40);
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ALTER COLUMN "works" TYPE bigint;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "score" TYPE numeric(8,2);
COMMIT;
