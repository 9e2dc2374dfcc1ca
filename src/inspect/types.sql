-- Enumerated types of schema $1 by their names ($3), and those that columns of its tables $2 are of, wherever they lie.
SELECT format_type(t.oid, NULL)                                          AS name,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
        FROM pg_enum e WHERE e.enumtypid = t.oid)                        AS labels
FROM pg_type t
WHERE t.typtype = 'e'
  AND (t.typnamespace = $1 AND t.typname = ANY ($3)
       OR t.oid IN (SELECT CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
                    FROM pg_class c
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    JOIN pg_type d ON d.oid = a.atttypid
                    WHERE c.relnamespace = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')))
  AND EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = t.oid)
ORDER BY 1
