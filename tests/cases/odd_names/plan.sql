SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "Odd ""t's" ALTER COLUMN "k'1" TYPE character varying(30);
ALTER TABLE "Odd ""t's" ADD COLUMN "$mtm$__new" integer;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "Odd ""t's_$mtm$__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm1$
BEGIN
    NEW."$mtm$__new" := NEW."$mtm$"::bigint;
    RETURN NEW;
END
$mtm1$;
CREATE TRIGGER "~$mtm$__new" BEFORE INSERT OR UPDATE ON "Odd ""t's" FOR EACH ROW EXECUTE FUNCTION "Odd ""t's_$mtm$__new"();
ALTER TABLE "Odd ""t's" ADD CONSTRAINT "Odd ""t's_$mtm$__new" CHECK (("$mtm$__new" IS NULL) = ("$mtm$" IS NULL)) NOT VALID;
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "Odd ""t's" ADD COLUMN "when__new" timestamp with time zone;
SET LOCAL statement_timeout = '30000ms';
CREATE FUNCTION "Odd ""t's_when__new"() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT SET extra_float_digits FROM CURRENT SET bytea_output FROM CURRENT SET standard_conforming_strings FROM CURRENT AS $mtm$
BEGIN
    NEW."when__new" := CASE WHEN NEW."when" ~* ':.*(Z|[+-]\d\d(:?\d\d)?)\s*$' THEN NEW."when"::timestamptz ELSE NEW."when"::timestamp AT TIME ZONE 'Europe/Berlin' END;
    RETURN NEW;
END
$mtm$;
CREATE TRIGGER "~when__new" BEFORE INSERT OR UPDATE ON "Odd ""t's" FOR EACH ROW EXECUTE FUNCTION "Odd ""t's_when__new"();
ALTER TABLE "Odd ""t's" ADD CONSTRAINT "Odd ""t's_when__new" CHECK (("when__new" IS NULL) = ("when" IS NULL)) NOT VALID;
COMMIT;

-- post-data: a transaction each
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
UPDATE "Odd ""t's" SET "$mtm$__new" = "$mtm$"::bigint WHERE "$mtm$__new" IS NULL AND "$mtm$" IS NOT NULL;
UPDATE "Odd ""t's" SET "when__new" = CASE WHEN "when" ~* ':.*(Z|[+-]\d\d(:?\d\d)?)\s*$' THEN "when"::timestamptz ELSE "when"::timestamp AT TIME ZONE 'Europe/Berlin' END WHERE "when__new" IS NULL AND "when" IS NOT NULL;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "Odd ""t's" VALIDATE CONSTRAINT "Odd ""t's_$mtm$__new";
ALTER TABLE "Odd ""t's" VALIDATE CONSTRAINT "Odd ""t's_when__new";
BEGIN;
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
DROP TRIGGER "~$mtm$__new" ON "Odd ""t's";
DROP FUNCTION "Odd ""t's_$mtm$__new"();
ALTER TABLE "Odd ""t's" DROP COLUMN "$mtm$";
ALTER TABLE "Odd ""t's" RENAME COLUMN "$mtm$__new" TO "$mtm$";
COMMIT;
BEGIN;
DROP TRIGGER "~when__new" ON "Odd ""t's";
DROP FUNCTION "Odd ""t's_when__new"();
ALTER TABLE "Odd ""t's" DROP COLUMN "when";
ALTER TABLE "Odd ""t's" RENAME COLUMN "when__new" TO "when";
COMMIT;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
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
