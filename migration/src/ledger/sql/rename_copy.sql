-- Table $2 holds the copy $4 from now on, no longer $3.
UPDATE {copied} SET source_digest = $4
WHERE target_schema = $1 AND table_name = $2 AND source_digest = $3
