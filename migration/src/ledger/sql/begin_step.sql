-- A step that no transaction holds together with its row begins. No row comes back if it had begun before.
INSERT INTO {step} (target_schema, version, section, number)
VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
RETURNING number
