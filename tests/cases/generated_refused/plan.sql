SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ADD COLUMN "length" integer NOT NULL GENERATED ALWAYS AS (length(payload)) STORED;
ALTER TABLE "song" ADD COLUMN "number" integer GENERATED ALWAYS AS (payload::integer) STORED;
ALTER TABLE "song" ADD COLUMN "share" numeric GENERATED ALWAYS AS (1 / (price - 0.5)::numeric) STORED;
ALTER TABLE "song" ADD COLUMN "fine" text NOT NULL GENERATED ALWAYS AS (song.title || '\') STORED;
COMMIT;
