UPDATE artist SET born = 'in spring' WHERE id = 1;
UPDATE artist SET works = NULL WHERE id = 2;
UPDATE artist SET works = 70000 WHERE id = 3;
UPDATE artist SET name = 'Nina' WHERE id = 3;
INSERT INTO song VALUES (4, 99, 'of nobody', '{x', NULL);
UPDATE song SET title = repeat('long ', 5) WHERE id = 2;
