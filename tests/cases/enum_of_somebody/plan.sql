SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
CREATE TYPE state AS ENUM ('sad', 'so so');
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" ALTER COLUMN "kind" DROP DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "play" ALTER COLUMN "kind" TYPE length USING "kind"::text::length;
ALTER TABLE "play" ALTER COLUMN "mood" TYPE feeling USING "mood"::text::feeling;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'short';
ALTER TABLE "play" ADD COLUMN "state" state;
COMMIT;
