-- What a writer does all day: one row, by its key.
\set id random(1, 100000)
UPDATE snapshots SET rank = rank + 1 WHERE id = :id;
