-- One row for each user, with everything that decisions see. The server itself writes the users that there are into the new
-- tables, piece by piece, and then takes `user_before`, `device` and `verification` away (`store/src/upgrade/`).
-- A server of the version before may not serve beside this one, nor afterwards.

DROP INDEX user_external_id;
ALTER TABLE "user" RENAME TO user_before;
ALTER INDEX user_pkey RENAME TO user_before_pkey;

-- Room in each page lets a row change without touching an index.
CREATE TABLE "user" (
    id               BIGINT PRIMARY KEY,
    username         TEXT,
    email            TEXT,
    phone            TEXT,
    external_id      TEXT,              -- from the profile, to be found by
    status           SMALLINT NOT NULL,
    locked_until     BIGINT,
    temp_hash        BYTEA,
    temp_expires_at  BIGINT,
    temp_reusable    SMALLINT,
    temp_used_at     BIGINT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    factors          BIGINT NOT NULL,   -- a bit for each factor with an active device, bit 0 for a disabled device
    ends_at          BIGINT,            -- not after the first moment at which something in the state is over
    audit_id         BIGINT,            -- the newest entry of the user's chain
    audit_position   BIGINT,
    audit_hash       BYTEA,
    profile          JSONB NOT NULL,
    state            BYTEA              -- see `store/src/user_state/pack.rs`
) WITH (fillfactor = 70);
-- The state is written anew with each answer; compressing it would cost more than it saves.
ALTER TABLE "user" ALTER COLUMN state SET STORAGE EXTERNAL;
CREATE INDEX user_external_id ON "user" (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX user_ends ON "user" (ends_at) WHERE ends_at IS NOT NULL;

-- What is found without knowing whose it is. Derived from the states, see `store/src/user_state/found_by.rs`.
CREATE TABLE lookup (
    key              BYTEA PRIMARY KEY, -- an id or a digest
    kind             SMALLINT NOT NULL, -- 0 verification, 1 pairing, 2 log-in, 3 session token
    user_id          BIGINT NOT NULL,
    verification_id  BYTEA              -- of a pairing
);

-- From which origins a browser may hand in which session token. Derived from the states too.
CREATE TABLE session_origin (
    origin           TEXT NOT NULL,
    token            BYTEA NOT NULL,     -- digest
    ends_at          BIGINT NOT NULL,
    PRIMARY KEY (origin, token)
);

-- With whom a client has begun something. Some of it may have ended since the last clean-up.
CREATE TABLE begun_by (
    client_id        BIGINT NOT NULL,
    user_id          BIGINT NOT NULL,
    PRIMARY KEY (client_id, user_id)
);

-- Which devices have a secret. Derived from the states too.
CREATE TABLE secret_device (
    mac              BYTEA NOT NULL,
    device_id        BIGINT NOT NULL,
    user_id          BIGINT NOT NULL,
    PRIMARY KEY (mac, device_id)
);

-- Devices of earlier versions whose secret has no mark yet. Empty once the server is ready. Derived from the states too.
CREATE TABLE unmarked_device (
    device_id        BIGINT PRIMARY KEY,
    user_id          BIGINT NOT NULL
);
