SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ADD COLUMN "country" text;
ALTER TABLE "artist" ADD COLUMN "created_at" timestamp with time zone NOT NULL DEFAULT (now());
RESET statement_timeout;
ALTER TABLE "artist" ADD COLUMN "token" uuid DEFAULT (gen_random_uuid());

-- post-data
