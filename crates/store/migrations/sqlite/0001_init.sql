-- The first schema. Moments are milliseconds since 1970 UTC. Ids are drawn from `sequence` before a decision, since
-- sealing binds them. Changes delete what hangs on a row by themselves, so that both databases do it alike; the foreign
-- keys only watch over it.

CREATE TABLE "user" (
    id               INTEGER PRIMARY KEY,
    username         TEXT,
    username_key     TEXT UNIQUE,       -- lower case: unique without regard to case
    email            TEXT,
    email_key        TEXT UNIQUE,
    phone            TEXT,
    external_id      TEXT,              -- from the profile, to be found by
    status           INTEGER NOT NULL,
    locked_until     INTEGER,
    temp_hash        BLOB,
    temp_expires_at  INTEGER,
    temp_reusable    INTEGER,
    temp_used_at     INTEGER,
    profile          TEXT NOT NULL,     -- JSON
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX user_external_id ON "user" (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE device (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL REFERENCES "user" (id),
    factor           INTEGER NOT NULL,
    display_name     TEXT NOT NULL,
    status           INTEGER NOT NULL,  -- 0 registering, 1 pending, 2 active, 3 disabled
    credential       BLOB NOT NULL,     -- sealed
    last_counter     INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    last_used_at     INTEGER
) STRICT;
CREATE INDEX device_user ON device (user_id, created_at, id);
CREATE INDEX device_registering ON device (id) WHERE status = 0;

-- `device_id` is no foreign key: the result of a registration outlives its hidden device.
CREATE TABLE verification (
    row_id           INTEGER PRIMARY KEY,   -- ascending in the order of opening
    id               BLOB NOT NULL UNIQUE,
    wire_id          TEXT NOT NULL,
    user_id          INTEGER NOT NULL REFERENCES "user" (id),
    device_id        INTEGER NOT NULL,
    purpose          INTEGER NOT NULL,
    challenge        TEXT NOT NULL,         -- JSON: its kind and form
    answer           BLOB,                  -- what an answer is compared with; wiped at the end
    pairing_hash     BLOB,                  -- the same for a pairing, to be found by
    status           INTEGER NOT NULL,      -- 0 pending, 1 accepted, 2 rejected, 3 expired
    closed_at        INTEGER,
    attempts         INTEGER NOT NULL,
    state_token      BLOB,
    consumed_at      INTEGER,
    client_id        INTEGER,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    live             INTEGER NOT NULL,      -- whether decisions still need to see it
    UNIQUE (user_id, wire_id)
) STRICT;
CREATE INDEX verification_live ON verification (user_id, row_id) WHERE live = 1;
CREATE INDEX verification_live_end ON verification (expires_at) WHERE live = 1;
CREATE INDEX verification_pairing ON verification (pairing_hash) WHERE pairing_hash IS NOT NULL;

CREATE TABLE throttle (
    user_id          INTEGER NOT NULL REFERENCES "user" (id),
    kind             INTEGER NOT NULL,
    subject          INTEGER NOT NULL,
    consecutive      INTEGER NOT NULL,
    recent           BLOB NOT NULL,         -- moments, 8 bytes each, big endian
    locked_until     INTEGER,
    last_wrong       BLOB,
    last_wrong_at    INTEGER,
    PRIMARY KEY (user_id, kind, subject)
) STRICT, WITHOUT ROWID;

-- No index besides the key, so that entries are only ever appended to the end of the file's tree. A chain is followed
-- from its head by `previous`.
CREATE TABLE audit (
    id               INTEGER PRIMARY KEY,
    chain_kind       INTEGER NOT NULL,
    chain_id         INTEGER NOT NULL,
    position         INTEGER NOT NULL,
    previous         INTEGER,               -- id of the entry before in this chain
    at               INTEGER NOT NULL,
    kind             TEXT NOT NULL,
    user_id          INTEGER,
    client_id        INTEGER,
    device_id        INTEGER,
    verification_id  BLOB,
    reason           TEXT,
    ip               TEXT,
    hash             BLOB NOT NULL
) STRICT;

CREATE TABLE audit_head (
    chain_kind       INTEGER NOT NULL,      -- 0 user, 1 client, 2 neither
    chain_id         INTEGER NOT NULL,
    audit_id         INTEGER NOT NULL,
    position         INTEGER NOT NULL,
    hash             BLOB NOT NULL,
    PRIMARY KEY (chain_kind, chain_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE client (
    id               INTEGER PRIMARY KEY,
    client_id        TEXT NOT NULL UNIQUE,
    name             TEXT NOT NULL,
    scope            TEXT NOT NULL,
    profile          TEXT NOT NULL,
    secrets          TEXT NOT NULL,         -- JSON: digests
    ip_allow         TEXT NOT NULL,         -- JSON
    expires_at       INTEGER,
    revoked_at       INTEGER,
    wrong_secrets    BLOB NOT NULL,         -- moments, 8 bytes each, big endian
    created_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE token (
    access           BLOB PRIMARY KEY,      -- digest
    refresh          BLOB NOT NULL,         -- digest
    client_id        INTEGER NOT NULL REFERENCES client (id),
    sealed           BLOB,                  -- wiped at the end
    row_id           INTEGER NOT NULL,
    family           INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    ended_at         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX token_open ON token (client_id, row_id) WHERE ended_at IS NULL;
CREATE INDEX token_created ON token (created_at);

-- A claim moves `next_attempt_at` into the future, so that the message of a dead sender becomes due again by itself.
CREATE TABLE outbox (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL,
    device_id        INTEGER NOT NULL,
    verification_id  BLOB NOT NULL,
    channel          TEXT NOT NULL,
    content          BLOB NOT NULL,         -- sealed; empty once settled
    created_at       INTEGER NOT NULL,
    not_after        INTEGER NOT NULL,
    status           INTEGER NOT NULL,      -- 0 queued, 1 sent, 2 dropped
    reason           TEXT,
    attempts         INTEGER NOT NULL,
    next_attempt_at  INTEGER NOT NULL,
    settled_at       INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE status = 0;
CREATE INDEX outbox_user ON outbox (user_id) WHERE status = 0;

CREATE TABLE sequence (
    kind             INTEGER PRIMARY KEY,
    next             INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    key              TEXT PRIMARY KEY,
    value            BLOB NOT NULL
) STRICT, WITHOUT ROWID;
