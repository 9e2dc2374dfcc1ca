-- m20261123_000000_music_time_machine, pre-data: before the rows, in one transaction.

-- step
CREATE TABLE "tracks" (
    "track_id" character varying(64) NOT NULL,
    "name" text NOT NULL,
    "artist_name" text NOT NULL,
    "album_name" text,
    "duration_ms" integer,
    "spotify_url" text,
    "raw_json" jsonb,
    "created_at" timestamp with time zone NOT NULL DEFAULT (now()),
    "updated_at" timestamp with time zone NOT NULL DEFAULT (now())
);

-- step
CREATE TABLE "snapshots" (
    "track_id" character varying(64) NOT NULL,
    "snapshot_date" date NOT NULL,
    "time_range" character varying(32) NOT NULL,
    "rank" integer NOT NULL,
    "created_at" timestamp with time zone NOT NULL DEFAULT (now()),
    "updated_at" timestamp with time zone NOT NULL DEFAULT (now()),
    CONSTRAINT "snapshots_rank_check" CHECK (rank > 0)
);
