-- Logging in: whoever holds a state token, a session token or a session is found by its digest, and apps are what
-- assertions are made for.

CREATE INDEX verification_sign_in ON verification (state_token) WHERE purpose >= 2 AND live = 1;

CREATE TABLE app (
    id               INTEGER PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    definition       TEXT NOT NULL,         -- JSON
    created_at       INTEGER NOT NULL
) STRICT;
