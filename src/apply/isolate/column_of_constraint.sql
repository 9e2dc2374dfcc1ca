-- The column of table $1 that constraint or unique index $2 is about, where it is about one.
SELECT attribute.attname
FROM pg_catalog.pg_constraint AS made
JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = made.conrelid AND attribute.attnum = made.conkey[1]
WHERE made.conrelid = $1::text::regclass AND made.conname = $2 AND cardinality(made.conkey) = 1
UNION
SELECT attribute.attname
FROM pg_catalog.pg_index AS made
JOIN pg_catalog.pg_class AS relation ON relation.oid = made.indexrelid
JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = made.indrelid AND attribute.attnum = made.indkey[0]
WHERE made.indrelid = $1::text::regclass AND relation.relname = $2 AND made.indnkeyatts = 1
LIMIT 1
