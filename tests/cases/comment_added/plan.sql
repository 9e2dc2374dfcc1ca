SET search_path = "public";

-- pre-data: one transaction
BEGIN;
SET LOCAL lock_timeout = '3000ms';
ALTER TABLE "song" ALTER COLUMN "price" TYPE numeric(10,2) USING "price"::text::numeric;
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE "song" ADD COLUMN "isrc" text;
COMMENT ON TABLE "artist" IS 'Who wrote it';
COMMENT ON TABLE "song" IS 'Tracks as the player''s export has them';
COMMENT ON COLUMN "song"."title" IS E'It''s "quoted", C:\\music\\new';
COMMENT ON COLUMN "song"."price" IS E'In euros – „brutto“.\n-- step\nMore; of it: $$ %s ? 🎵 public.song\n';
COMMENT ON COLUMN "song"."isrc" IS 'From the payload';
COMMIT;
