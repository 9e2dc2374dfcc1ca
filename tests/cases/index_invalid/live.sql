UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'song_by'::regclass;
