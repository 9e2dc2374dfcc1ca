SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "Odd ""t's" ALTER COLUMN "k'1" TYPE character varying(30);
ALTER TABLE "Odd ""t's" ALTER COLUMN "$mtm$" TYPE integer USING "$mtm$"::bigint;
ALTER TABLE "Odd ""t's" ALTER COLUMN "when" TYPE timestamp with time zone USING CASE WHEN "when" ~* ':.*(Z|[+-]\d\d(:?\d\d)?)\s*$' THEN "when"::timestamptz ELSE "when"::timestamp AT TIME ZONE 'Europe/Berlin' END;
COMMIT;

-- post-data: a transaction each
CREATE UNIQUE INDEX CONCURRENTLY "i""x's" ON "Odd ""t's" USING btree ("$mtm$");
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "Odd ""t's" ADD CONSTRAINT "Odd ""t's_$mtm$_check" CHECK ("$mtm$" > 0) NOT VALID;
ALTER TABLE "Odd ""t's" ADD CONSTRAINT "Odd ""t's_$mtm$__not_null" CHECK ("$mtm$" IS NOT NULL) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "Odd ""t's" VALIDATE CONSTRAINT "Odd ""t's_$mtm$_check";
ALTER TABLE "Odd ""t's" VALIDATE CONSTRAINT "Odd ""t's_$mtm$__not_null";
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "Odd ""t's" ALTER COLUMN "$mtm$" SET NOT NULL;
ALTER TABLE "Odd ""t's" DROP CONSTRAINT "Odd ""t's_$mtm$__not_null";
