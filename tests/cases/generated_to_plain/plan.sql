SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "song" ALTER COLUMN "shown" DROP EXPRESSION;
ALTER TABLE "song" ALTER COLUMN "cents" DROP EXPRESSION;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "song" ALTER COLUMN "title" TYPE character varying(50);
ALTER TABLE "song" ALTER COLUMN "cents" TYPE bigint;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "song" ALTER COLUMN "shown" SET DEFAULT 'nothing';
COMMIT;
