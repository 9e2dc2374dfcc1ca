UPDATE song SET price = 1.005 WHERE id = 3;
