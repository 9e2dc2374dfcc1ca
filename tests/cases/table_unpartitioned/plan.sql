SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "chart" DROP CONSTRAINT "chart_artist_id_fkey";
ALTER TABLE "note" DROP CONSTRAINT "note_chart_id_day_fkey";
DROP INDEX "chart_rank";
ALTER TABLE "chart" DROP CONSTRAINT "chart_pkey";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "chart" RENAME TO "chart__old";
CREATE TABLE "chart" (LIKE "chart__old" INCLUDING ALL EXCLUDING INDEXES);
INSERT INTO "chart" OVERRIDING SYSTEM VALUE SELECT * FROM "chart__old";
SELECT setval(pg_get_serial_sequence('"chart"', attname), nextval(pg_get_serial_sequence('"chart__old"', attname)), false) FROM pg_attribute WHERE attrelid = '"chart"'::regclass AND attidentity <> '';
DROP TABLE "chart__old";
COMMIT;

-- post-data: a transaction each
CREATE UNIQUE INDEX CONCURRENTLY "chart_pkey" ON "chart" ("id", "day");
CREATE INDEX CONCURRENTLY "chart_rank" ON "chart" USING btree ("rank");
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "chart" ADD CONSTRAINT "chart_pkey" PRIMARY KEY USING INDEX "chart_pkey";
ALTER TABLE "chart" ADD CONSTRAINT "chart_artist_id_fkey" FOREIGN KEY ("artist_id") REFERENCES "artist" ("id") NOT VALID;
ALTER TABLE "note" ADD CONSTRAINT "note_chart_id_day_fkey" FOREIGN KEY ("chart_id", "day") REFERENCES "chart" ("id", "day") NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ANALYZE "chart";
ALTER TABLE "chart" VALIDATE CONSTRAINT "chart_artist_id_fkey";
ALTER TABLE "note" VALIDATE CONSTRAINT "note_chart_id_day_fkey";
