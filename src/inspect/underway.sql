-- Triggers of the tables $2 in schema $1 whose names begin with $3: those that fill a column which is to take another one's
-- place.
SELECT c.relname, t.tgname
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = $1 AND c.relname = ANY ($2) AND NOT t.tgisinternal AND starts_with(t.tgname::text, $3)
