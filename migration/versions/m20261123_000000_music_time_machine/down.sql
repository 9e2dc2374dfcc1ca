-- m20261123_000000_music_time_machine, down: the way back, in one transaction.

-- step
ALTER TABLE "snapshots" DROP CONSTRAINT "snapshots_track_id_fkey";

-- step hazards=deletes-data
DROP TABLE "snapshots";

-- step hazards=deletes-data
DROP TABLE "tracks";
