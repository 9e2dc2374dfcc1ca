SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ALTER COLUMN "price" TYPE numeric(8,2) USING "price"::text::numeric;
COMMIT;
