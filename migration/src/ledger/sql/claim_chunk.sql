-- Takes chunk $3 of the copy $4 of table $2 for this transaction: whoever else has it is waited for.
SELECT finished_at IS NULL
FROM {chunk}
WHERE target_schema = $1 AND table_name = $2 AND number = $3 AND source_digest = $4
FOR UPDATE
