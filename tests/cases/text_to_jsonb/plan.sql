SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ALTER COLUMN "payload" TYPE jsonb USING "payload"::jsonb;
COMMIT;

-- post-data: a transaction each
CREATE INDEX CONCURRENTLY "song_payload" ON "song" USING gin ("payload" jsonb_path_ops);
