SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
ALTER TABLE "song" ALTER COLUMN "payload" TYPE jsonb USING "payload"::jsonb;

-- post-data
RESET lock_timeout;
CREATE INDEX CONCURRENTLY "song_payload" ON "song" USING gin ("payload" jsonb_path_ops);
