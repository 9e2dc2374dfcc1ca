-- Ordinary tables by name: those of schema $1. A partition is a part of its table.
SELECT relname FROM pg_class WHERE relnamespace = $1 AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
