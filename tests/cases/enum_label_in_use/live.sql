UPDATE play SET kind = 'medium', mood = 'angry' WHERE id IN (2, 3)
