SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
SET LOCAL statement_timeout = '30000ms';
CREATE TABLE "chart_2026_03" PARTITION OF "chart" FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
COMMIT;
