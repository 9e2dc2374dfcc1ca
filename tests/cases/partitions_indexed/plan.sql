SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
DROP INDEX "chart_rank";
SET LOCAL statement_timeout TO DEFAULT;
ALTER TABLE "chart" ALTER COLUMN "rank" TYPE integer;
COMMIT;

-- post-data: a transaction each
CREATE UNIQUE INDEX CONCURRENTLY "chart_2025_11_chart_artist" ON "chart_2025_11" USING btree ("artist_id", "rank", "day");
CREATE UNIQUE INDEX CONCURRENTLY "chart_2025_12_chart_artist" ON "chart_2025_12" USING btree ("artist_id", "rank", "day");
CREATE UNIQUE INDEX CONCURRENTLY "chart_2026_01_chart_artist" ON "chart_2026_01" USING btree ("artist_id", "rank", "day");
CREATE UNIQUE INDEX CONCURRENTLY "chart_2026_02_chart_artist" ON "chart_2026_02" USING btree ("artist_id", "rank", "day");
CREATE UNIQUE INDEX CONCURRENTLY "chart_2026_03_chart_artist" ON "chart_2026_03" USING btree ("artist_id", "rank", "day");
CREATE UNIQUE INDEX CONCURRENTLY "chart_default_chart_artist" ON "chart_default" USING btree ("artist_id", "rank", "day");
CREATE INDEX CONCURRENTLY "chart_2025_11_chart_rank" ON "chart_2025_11" USING btree ("rank" DESC);
CREATE INDEX CONCURRENTLY "chart_2025_12_chart_rank" ON "chart_2025_12" USING btree ("rank" DESC);
CREATE INDEX CONCURRENTLY "chart_2026_01_chart_rank" ON "chart_2026_01" USING btree ("rank" DESC);
CREATE INDEX CONCURRENTLY "chart_2026_02_chart_rank" ON "chart_2026_02" USING btree ("rank" DESC);
CREATE INDEX CONCURRENTLY "chart_2026_03_chart_rank" ON "chart_2026_03" USING btree ("rank" DESC);
CREATE INDEX CONCURRENTLY "chart_default_chart_rank" ON "chart_default" USING btree ("rank" DESC);
SET lock_timeout = '3000ms';
SET statement_timeout = '30000ms';
CREATE UNIQUE INDEX "chart_artist" ON ONLY "chart" USING btree ("artist_id", "rank", "day");
ALTER INDEX "chart_artist" ATTACH PARTITION "chart_2025_11_chart_artist";
ALTER INDEX "chart_artist" ATTACH PARTITION "chart_2025_12_chart_artist";
ALTER INDEX "chart_artist" ATTACH PARTITION "chart_2026_01_chart_artist";
ALTER INDEX "chart_artist" ATTACH PARTITION "chart_2026_02_chart_artist";
ALTER INDEX "chart_artist" ATTACH PARTITION "chart_2026_03_chart_artist";
ALTER INDEX "chart_artist" ATTACH PARTITION "chart_default_chart_artist";
CREATE INDEX "chart_rank" ON ONLY "chart" USING btree ("rank" DESC);
ALTER INDEX "chart_rank" ATTACH PARTITION "chart_2025_11_chart_rank";
ALTER INDEX "chart_rank" ATTACH PARTITION "chart_2025_12_chart_rank";
ALTER INDEX "chart_rank" ATTACH PARTITION "chart_2026_01_chart_rank";
ALTER INDEX "chart_rank" ATTACH PARTITION "chart_2026_02_chart_rank";
ALTER INDEX "chart_rank" ATTACH PARTITION "chart_2026_03_chart_rank";
ALTER INDEX "chart_rank" ATTACH PARTITION "chart_default_chart_rank";
ALTER TABLE "chart" ADD CONSTRAINT "chart_positive" CHECK (rank > 0) NOT VALID;
SET lock_timeout TO DEFAULT;
SET statement_timeout TO DEFAULT;
ALTER TABLE "chart" VALIDATE CONSTRAINT "chart_positive";
