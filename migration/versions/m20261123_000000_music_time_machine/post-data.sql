-- m20261123_000000_music_time_machine, post-data: after the rows, each step in a transaction of its own.

-- step parallel
CREATE UNIQUE INDEX "tracks_pkey" ON "tracks" ("track_id");

-- step parallel
CREATE UNIQUE INDEX "snapshots_pkey" ON "snapshots" ("track_id", "snapshot_date", "time_range");

-- step parallel
CREATE INDEX "idx_tracks_search" ON "tracks" USING gin ((to_tsvector('english', coalesce(name, '') || ' ' || coalesce(artist_name, ''))));

-- step parallel
CREATE INDEX "idx_tracks_payload" ON "tracks" USING gin ("raw_json" jsonb_path_ops);

-- step parallel
CREATE INDEX "idx_tracks_release_year" ON "tracks" USING btree ((left(raw_json #>> '{album,release_date}', 4)));

-- step parallel
CREATE INDEX "idx_tracks_external_ids" ON "tracks" USING gin ((raw_json -> 'external_ids'));

-- step parallel
CREATE INDEX "idx_snapshots_date" ON "snapshots" USING btree ("snapshot_date", "time_range");

-- step
ALTER TABLE "tracks" ADD CONSTRAINT "tracks_pkey" PRIMARY KEY USING INDEX "tracks_pkey";

-- step
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_pkey" PRIMARY KEY USING INDEX "snapshots_pkey";

-- step
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_track_id_fkey" FOREIGN KEY ("track_id") REFERENCES "tracks" ("track_id") ON DELETE RESTRICT NOT VALID;

-- step parallel
ALTER TABLE "snapshots" VALIDATE CONSTRAINT "snapshots_track_id_fkey";
