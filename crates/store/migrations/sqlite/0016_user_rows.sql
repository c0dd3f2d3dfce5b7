-- One row for each user, with everything that decisions see. The server itself writes the users that there are into the new
-- tables, piece by piece, and then takes `user_before`, `device` and `verification` away (`store/src/upgrade/`).
-- A server of the version before may not serve beside this one, nor afterwards.

DROP TRIGGER user_old_keys;
DROP INDEX user_external_id;
ALTER TABLE "user" RENAME TO user_before;

CREATE TABLE "user" (
    id               INTEGER PRIMARY KEY,
    username         TEXT,
    email            TEXT,
    phone            TEXT,
    external_id      TEXT,              -- from the profile, to be found by
    status           INTEGER NOT NULL,
    locked_until     INTEGER,
    temp_hash        BLOB,
    temp_expires_at  INTEGER,
    temp_reusable    INTEGER,
    temp_used_at     INTEGER,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    factors          INTEGER NOT NULL,  -- a bit for each factor with an active device, bit 0 for a disabled device
    ends_at          INTEGER,           -- not after the first moment at which something in the state is over
    audit_id         INTEGER,           -- the newest entry of the user's chain
    audit_position   INTEGER,
    audit_hash       BLOB,
    profile          TEXT NOT NULL,     -- JSON
    state            BLOB               -- see `store/src/user_state/pack.rs`
) STRICT;
CREATE INDEX user_external_id ON "user" (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX user_ends ON "user" (ends_at) WHERE ends_at IS NOT NULL;

-- What is found without knowing whose it is. Derived from the states, see `store/src/user_state/found_by.rs`.
CREATE TABLE lookup (
    key              BLOB PRIMARY KEY,  -- an id or a digest
    kind             INTEGER NOT NULL,  -- 0 verification, 1 pairing, 2 log-in, 3 session token
    user_id          INTEGER NOT NULL,
    verification_id  BLOB               -- of a pairing
) STRICT, WITHOUT ROWID;

-- From which origins a browser may hand in which session token. Derived from the states too.
CREATE TABLE session_origin (
    origin           TEXT NOT NULL,
    token            BLOB NOT NULL,     -- digest
    ends_at          INTEGER NOT NULL,
    PRIMARY KEY (origin, token)
) STRICT, WITHOUT ROWID;

-- With whom a client has begun something. Some of it may have ended since the last clean-up.
CREATE TABLE begun_by (
    client_id        INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    PRIMARY KEY (client_id, user_id)
) STRICT, WITHOUT ROWID;

-- Which devices have a secret. Derived from the states too.
CREATE TABLE secret_device (
    mac              BLOB NOT NULL,
    device_id        INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    PRIMARY KEY (mac, device_id)
) STRICT, WITHOUT ROWID;

-- Devices of earlier versions whose secret has no mark yet. Empty once the server is ready. Derived from the states too.
CREATE TABLE unmarked_device (
    device_id        INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL
) STRICT;
