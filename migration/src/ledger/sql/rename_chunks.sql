-- The chunks of table $2 are of the copy $4 from now on, no longer of $3.
UPDATE {chunk} SET source_digest = $4
WHERE target_schema = $1 AND table_name = $2 AND source_digest = $3
