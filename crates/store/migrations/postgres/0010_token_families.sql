-- The newest pair of a line is found without reading all that a client has: a refresh ends none of them.
CREATE INDEX token_family ON token (client_id, family, row_id) WHERE ended_at IS NULL;
