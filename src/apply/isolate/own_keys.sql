-- The foreign keys of table $1 to itself: their names, whether they are DEFERRABLE, and whether the role may make them so.
SELECT made.conname, made.condeferrable, pg_has_role(relation.relowner, 'USAGE')
FROM pg_catalog.pg_constraint AS made
JOIN pg_catalog.pg_class AS relation ON relation.oid = made.conrelid
WHERE made.conrelid = $1::text::regclass AND made.confrelid = made.conrelid AND made.contype = 'f'
ORDER BY made.conname
