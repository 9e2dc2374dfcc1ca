-- The versions that were applied.
SELECT name, pre_data::text, post_data::text, down::text, checksum,
       to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM {version}
WHERE target_schema = $1
ORDER BY name COLLATE "C"
