SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
ALTER TABLE "artist" ALTER COLUMN "born" TYPE date USING "born"::date;

-- post-data
