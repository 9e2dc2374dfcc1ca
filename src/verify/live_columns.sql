-- The columns that the target really has, with their types and the size of their table.
-- $1: schema; $2: names of tables. A domain counts as what it is over: its values have the same binary form.
SELECT class.relname::text                                                    AS table_name,
       attribute.attname::text                                                AS column_name,
       format_type(CASE WHEN type.typtype = 'd' THEN type.typbasetype ELSE attribute.atttypid END,
                   CASE WHEN type.typtype = 'd' THEN type.typtypmod ELSE attribute.atttypmod END) AS type_name,
       greatest(class.reltuples, 0)::float8                                   AS estimated_rows,
       -- Only tables of their own can be cut by block: a partitioned table, a view or a foreign table has no blocks.
       CASE WHEN class.relkind IN ('r', 'm')
            THEN pg_relation_size(class.oid) / current_setting('block_size')::bigint
            ELSE 0 END                                                        AS blocks,
       CASE class.relkind
            WHEN 'r' THEN pg_table_size(class.oid)
            WHEN 'm' THEN pg_table_size(class.oid)
            WHEN 'p' THEN (SELECT coalesce(sum(pg_table_size(leaf.relid)), 0)::bigint
                             FROM pg_partition_tree(class.oid) AS leaf WHERE leaf.isleaf)
            ELSE 0 END                                                        AS bytes,
       -- The partitions that hold its rows, each as an SQL name, with its blocks.
       CASE WHEN class.relkind = 'p'
            THEN ARRAY(SELECT format('%I.%I', part_namespace.nspname, part.relname)
                         FROM pg_partition_tree(class.oid) AS leaf
                         JOIN pg_catalog.pg_class AS part ON part.oid = leaf.relid
                         JOIN pg_catalog.pg_namespace AS part_namespace ON part_namespace.oid = part.relnamespace
                        WHERE leaf.isleaf AND part.relkind <> 'p' ORDER BY part.oid)
            ELSE '{}' END                                                     AS partitions,
       CASE WHEN class.relkind = 'p'
            THEN ARRAY(SELECT CASE WHEN part.relkind = 'r'
                                   THEN pg_relation_size(part.oid) / current_setting('block_size')::bigint
                                   ELSE 0 END
                         FROM pg_partition_tree(class.oid) AS leaf
                         JOIN pg_catalog.pg_class AS part ON part.oid = leaf.relid
                        WHERE leaf.isleaf AND part.relkind <> 'p' ORDER BY part.oid)
            ELSE '{}' END                                                     AS partition_blocks
  FROM pg_catalog.pg_class AS class
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
  LEFT JOIN pg_catalog.pg_attribute AS attribute
         ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
  LEFT JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
 WHERE namespace.nspname = $1
   AND class.relname = ANY ($2)
   AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
