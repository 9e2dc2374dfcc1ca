SET search_path = "public";

-- pre-data
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "name" TYPE character varying(40);
RESET statement_timeout;
ALTER TABLE "artist" ALTER COLUMN "works" TYPE bigint;
SET statement_timeout = '30000ms';
ALTER TABLE "artist" ALTER COLUMN "score" TYPE numeric(8,2);

-- post-data
