-- The normal forms $4 of the tables $2, each with the digest $3 of what it was made of.
INSERT INTO {normal_form} (target_schema, table_name, digest, form)
SELECT $1, told.table_name, told.digest, told.form
FROM unnest($2::text[], $3::text[], $4::text[]) AS told (table_name, digest, form)
ON CONFLICT (target_schema, table_name) DO UPDATE SET digest = excluded.digest, form = excluded.form
