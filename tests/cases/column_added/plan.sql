SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "artist" ADD COLUMN "country" text;
ALTER TABLE "artist" ADD COLUMN "created_at" timestamp with time zone NOT NULL DEFAULT (now());
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "artist" ADD COLUMN "token" uuid DEFAULT (gen_random_uuid());
COMMIT;
