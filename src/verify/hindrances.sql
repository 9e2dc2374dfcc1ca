-- Constraints of the tables $2 in schema $1 that are there and do not hold: their index is invalid, or their triggers are
-- switched off (`ALTER TABLE … DISABLE TRIGGER ALL`; a trigger that fires on a replica alone is off too).
SELECT c.relname::text AS table_name,
       k.conname::text AS name,
       coalesce((SELECT NOT (x.indisvalid AND x.indisready)
                   FROM pg_catalog.pg_index AS x
                  WHERE x.indexrelid = k.conindid AND k.contype IN ('p', 'u')), false) AS index_invalid,
       EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                WHERE t.tgconstraint = k.oid AND t.tgenabled IN ('D', 'R'))            AS switched_off
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = ANY ($2)
