-- Whom to tell what happened, and what became of the telling. There is no queue of events: each webhook has its position
-- in the audit trail.

CREATE TABLE webhook (
    id               INTEGER PRIMARY KEY,
    name             TEXT NOT NULL,
    url              TEXT NOT NULL,
    keys             BLOB NOT NULL,         -- sealed
    headers          BLOB NOT NULL,         -- sealed
    allow_private    INTEGER NOT NULL,
    disabled_at      INTEGER,
    disabled_reason  TEXT,
    created_at       INTEGER NOT NULL,
    position         TEXT NOT NULL,         -- JSON: see `store/src/store/follow.rs`
    holder           TEXT,                  -- who delivers, until the moment that follows
    held_until       INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook_delivery (
    id               INTEGER PRIMARY KEY,
    webhook_id       INTEGER NOT NULL REFERENCES webhook (id),
    message_id       TEXT NOT NULL,         -- what the receiver knows it by, in every try
    events           BLOB NOT NULL,         -- ids of audit entries in order, 8 bytes each, big endian
    status           INTEGER NOT NULL,      -- 0 waiting, 1 delivered, 2 given up
    replay           INTEGER NOT NULL,      -- whether it is told again, and holds up nothing
    attempts         INTEGER NOT NULL,
    next_attempt_at  INTEGER NOT NULL,
    began_at         INTEGER NOT NULL,
    http_status      INTEGER,
    fault            TEXT,
    created_at       INTEGER NOT NULL,
    settled_at       INTEGER,
    oldest_at        INTEGER NOT NULL       -- when the first of the events happened
) STRICT;
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (webhook_id, id) WHERE status = 0;
