-- What schema $1 lacks of the columns that the site reads, or has of another type; null where it lacks nothing.
WITH needed (table_name, column_name, type_name) AS (
    VALUES
        ('tracks', 'track_id', NULL),
        ('tracks', 'name', NULL),
        ('tracks', 'artist_name', NULL),
        ('tracks', 'album_name', NULL),
        ('tracks', 'duration_ms', 'integer'),
        ('tracks', 'spotify_url', NULL),
        ('tracks', 'raw_json', 'jsonb'),
        ('tracks', 'created_at', 'timestamp with time zone'),
        ('tracks', 'updated_at', 'timestamp with time zone'),
        ('snapshots', 'track_id', NULL),
        ('snapshots', 'snapshot_date', 'date'),
        ('snapshots', 'time_range', NULL),
        ('snapshots', 'rank', 'integer'),
        ('snapshots', 'created_at', 'timestamp with time zone'),
        ('snapshots', 'updated_at', 'timestamp with time zone')
)
SELECT string_agg(
    CASE
        WHEN there.attname IS NULL THEN format('%s.%s is missing', needed.table_name, needed.column_name)
        ELSE format(
            '%s.%s is %s, and should be %s',
            needed.table_name, needed.column_name, format_type(there.atttypid, NULL), needed.type_name)
    END,
    ', ' ORDER BY needed.table_name DESC, needed.column_name)
FROM needed
LEFT JOIN pg_catalog.pg_namespace AS schema ON schema.nspname = $1
LEFT JOIN pg_catalog.pg_class AS relation
    ON relation.relnamespace = schema.oid AND relation.relname = needed.table_name
    -- A view has no rows of its own, whose changes could be seen.
    AND relation.relkind IN ('r', 'p')
LEFT JOIN pg_catalog.pg_attribute AS there
    ON there.attrelid = relation.oid AND there.attname = needed.column_name AND NOT there.attisdropped
WHERE there.attname IS NULL
    OR (needed.type_name IS NOT NULL AND format_type(there.atttypid, NULL) <> needed.type_name);
