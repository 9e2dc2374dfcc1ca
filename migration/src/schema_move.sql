-- What the tables $3 take from the schema $1 into the schema $2, and is there already: themselves, their indexes, the
-- sequences of their columns.
WITH moved AS (
    SELECT c.oid, c.relname
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = ANY ($3) AND c.relkind IN ('r', 'p')
), names AS (
    SELECT relname FROM moved
    UNION
    SELECT i.relname
    FROM moved
    JOIN pg_catalog.pg_index AS x ON x.indrelid = moved.oid
    JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
    UNION
    SELECT s.relname
    FROM moved
    JOIN pg_catalog.pg_depend AS d ON d.refobjid = moved.oid AND d.deptype IN ('a', 'i')
         AND d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
)
SELECT taken.relname
FROM names
JOIN pg_catalog.pg_class AS taken ON taken.relname = names.relname
JOIN pg_catalog.pg_namespace AS n ON n.oid = taken.relnamespace
WHERE n.nspname = $2
ORDER BY taken.relname COLLATE "C"
