-- A step that no transaction holds together with its row begins; it may have begun before.
INSERT INTO {step} (target_schema, version, section, number)
VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
