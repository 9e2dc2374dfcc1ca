SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
CREATE TYPE feeling AS ENUM ('sad', 'so so');
ALTER TYPE length RENAME TO length__old;
CREATE TYPE length AS ENUM ('short', 'long');
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" ALTER COLUMN "kind" DROP DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "play" ALTER COLUMN "kind" TYPE length USING "kind"::text::length;
ALTER TABLE "play" ALTER COLUMN "mood" TYPE feeling USING "mood"::text::feeling;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "play" ALTER COLUMN "kind" SET DEFAULT 'short';
SET LOCAL statement_timeout TO DEFAULT;
DROP TYPE length__old;
COMMIT;
