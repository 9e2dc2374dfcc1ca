SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "works" DROP NOT NULL;

-- post-data
