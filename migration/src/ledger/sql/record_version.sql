-- A version is applied.
INSERT INTO {version} (target_schema, name, pre_data, post_data, down, checksum)
VALUES ($1, $2, $3::text::jsonb, $4::text::jsonb, $5::text::jsonb, $6)
ON CONFLICT (target_schema, name) DO UPDATE
SET pre_data = excluded.pre_data,
    post_data = excluded.post_data,
    down = excluded.down,
    checksum = excluded.checksum,
    applied_at = now()
