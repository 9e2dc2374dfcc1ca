-- A migration ($1) that is applied without being run; the time is in seconds since 1970, as sea-orm-migration has it.
INSERT INTO seaql_migrations (version, applied_at)
VALUES ($1, extract(epoch FROM now())::bigint)
ON CONFLICT DO NOTHING
