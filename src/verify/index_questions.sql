-- What can be asked of the indexes $3 on the tables $2 in schema $1: one row for each operator that the leading part's
-- operator class searches with, the ones on the class's own type first.
SELECT c.relname::text                          AS table_name,
       i.relname::text                          AS index_name,
       am.amname::text                          AS method,
       pg_get_indexdef(x.indexrelid, 1, true)   AS key,
       -- An index that sorts otherwise than its column or its expression answers only who asks so. What an expression
       -- sorts by is not in the catalogue; the definition names the index's collation where that is another one.
       CASE WHEN x.indcollation[0] <> 0
             AND CASE WHEN x.indkey[0] <> 0 THEN x.indcollation[0] <> a.attcollation
                      ELSE position('COLLATE ' || quote_ident(co.collname) IN pg_get_indexdef(x.indexrelid, 0, true)) > 0
                  END
            THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END AS collation,
       pg_get_expr(x.indpred, x.indrelid, true) AS predicate,
       -- Built over rows that had been updated: transactions older than it must not use it.
       x.indcheckxmin OR EXISTS (SELECT FROM pg_partition_tree(x.indexrelid) AS leaf
                                   JOIN pg_catalog.pg_index AS part ON part.indexrelid = leaf.relid
                                  WHERE part.indcheckxmin) AS young,
       -- The planner names the parts that a partitioned table's index has on the partitions.
       ARRAY(SELECT part.relname::text
               FROM pg_partition_tree(x.indexrelid) AS leaf
               JOIN pg_catalog.pg_class AS part ON part.oid = leaf.relid)  AS parts,
       quote_ident(n2.nspname)                  AS operator_schema,
       o.oprname::text                          AS operator,
       CASE WHEN t.typtype <> 'p' THEN format_type(t.oid, NULL) END AS operand
  FROM pg_catalog.pg_index AS x
  JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
  JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_am AS am ON am.oid = i.relam
  JOIN pg_catalog.pg_opclass AS oc ON oc.oid = x.indclass[0]
  JOIN pg_catalog.pg_amop AS ao
    ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype AND ao.amoppurpose = 's'
  JOIN pg_catalog.pg_operator AS o ON o.oid = ao.amopopr
  JOIN pg_catalog.pg_namespace AS n2 ON n2.oid = o.oprnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = ao.amoprighttype
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] AND x.indkey[0] <> 0
  LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = x.indcollation[0]
  LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = co.collnamespace
 WHERE n.nspname = $1 AND c.relname = ANY ($2) AND i.relname = ANY ($3)
 ORDER BY c.relname, i.relname, (ao.amoprighttype = ao.amoplefttype) DESC, ao.amopstrategy
