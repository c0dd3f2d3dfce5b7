-- Logging in: whoever holds a state token, a session token or a session is found by its digest, and apps are what
-- assertions are made for.

CREATE INDEX verification_sign_in ON verification (state_token) WHERE purpose >= 2 AND live = 1;

CREATE TABLE app (
    id               BIGINT PRIMARY KEY,
    name             TEXT NOT NULL CONSTRAINT app_name UNIQUE,
    definition       JSONB NOT NULL,
    created_at       BIGINT NOT NULL
);
