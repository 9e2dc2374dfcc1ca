-- Where the rows of the table $1 (a name in quotes) are: a row for the table itself, without a name, or one for each partition
-- that holds rows. How many pages of rows there are, and of all kinds; none where it has
-- no pages of this server.
SELECT CASE WHEN leaf.oid <> c.oid THEN format('%I.%I', n.nspname, leaf.relname) END AS name,
       CASE WHEN leaf.relkind IN ('r', 'm')
            THEN pg_relation_size(leaf.oid) / current_setting('block_size')::bigint END AS pages,
       CASE WHEN leaf.relkind IN ('r', 'm')
            THEN pg_table_size(leaf.oid) / current_setting('block_size')::bigint END AS all_pages
FROM pg_catalog.pg_class AS c
CROSS JOIN LATERAL (SELECT c.oid WHERE c.relkind <> 'p'
                    UNION ALL
                    SELECT relid FROM pg_partition_tree(c.oid) WHERE c.relkind = 'p' AND isleaf) AS part (oid)
JOIN pg_catalog.pg_class AS leaf ON leaf.oid = part.oid AND leaf.relkind <> 'p'
JOIN pg_catalog.pg_namespace AS n ON n.oid = leaf.relnamespace
WHERE c.oid = to_regclass($1)
ORDER BY leaf.oid
