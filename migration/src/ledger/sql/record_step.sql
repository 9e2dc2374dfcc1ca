-- A step is done.
INSERT INTO {step} (target_schema, version, section, number, finished_at)
VALUES ($1, $2, $3, $4, now())
ON CONFLICT (target_schema, version, section, number) DO UPDATE SET finished_at = now()
