COMMENT ON TABLE song IS 'somebody''s word';
COMMENT ON COLUMN song.title IS 'somebody says: its title';
COMMENT ON COLUMN song.payload IS 'somebody knows better';
COMMENT ON COLUMN song.price IS 'somebody''s price';
