-- Ordinary tables by name: those of schema $1.
SELECT relname FROM pg_class WHERE relnamespace = $1 AND relkind IN ('r', 'p') ORDER BY relname
