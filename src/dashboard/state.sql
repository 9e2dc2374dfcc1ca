-- What tells that one of the two tables has changed: the file that holds it, which TRUNCATE and rewriting replace, and how many
-- rows were ever inserted, updated and deleted. A partitioned table is its partitions. A standby does not count what it replays,
-- and a server may be told to count nothing: there, what was replayed last, and the time, stand for it.
SELECT concat_ws(', ', string_agg(
    format(
        '%s %s %s %s %s',
        relid::oid,
        pg_relation_filenode(relid),
        pg_stat_get_tuples_inserted(relid),
        pg_stat_get_tuples_updated(relid),
        pg_stat_get_tuples_deleted(relid)),
    ', ' ORDER BY relid),
    CASE
        WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text
        WHEN current_setting('track_counts') = 'off' THEN clock_timestamp()::text
    END)
FROM (
    VALUES ('tracks'::regclass), ('snapshots'::regclass)
    UNION
    SELECT relid FROM pg_partition_tree('tracks')
    UNION
    SELECT relid FROM pg_partition_tree('snapshots')
) AS relations (relid)
