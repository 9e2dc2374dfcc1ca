-- Every place in a chart as a JSON object, in the order of its key.
SELECT json_build_object(
    'table', 'snapshots',
    'track_id', track_id,
    'snapshot_date', snapshot_date,
    'time_range', time_range,
    'rank', rank,
    'created_at', created_at,
    'updated_at', updated_at
)::text
FROM snapshots
ORDER BY track_id, snapshot_date, time_range
