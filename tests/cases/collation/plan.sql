SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
ALTER TABLE "artist" ALTER COLUMN "name" TYPE text COLLATE "C";

-- post-data
