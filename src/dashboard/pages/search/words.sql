-- Whether the full-text search has any word of $1 to look for.
SELECT numnode(websearch_to_tsquery('english', $1)) > 0 AS any
