SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" ALTER COLUMN "kind" DROP DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "play" ALTER COLUMN "kind" TYPE character varying(9) USING "kind"::text;
ALTER TABLE "play" ALTER COLUMN "mood" TYPE other USING "mood"::text::other;
ALTER TABLE "play" ALTER COLUMN "rating" TYPE text USING "rating"::text;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'short';
SET LOCAL statement_timeout TO DEFAULT;
DROP TYPE feeling;
DROP TYPE length;
COMMIT;
