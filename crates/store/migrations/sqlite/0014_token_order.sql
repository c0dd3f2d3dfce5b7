-- The newest pair of a client is the one that was made last, whatever the number of its row.
DROP INDEX token_open;
CREATE INDEX token_open ON token (client_id, created_at, row_id) WHERE ended_at IS NULL;
