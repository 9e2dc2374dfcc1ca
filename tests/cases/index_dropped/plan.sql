SET search_path = "public";

-- post-data: a transaction each
DROP INDEX CONCURRENTLY "song_by";
