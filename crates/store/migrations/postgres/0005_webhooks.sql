-- Whom to tell what happened, and what became of the telling. There is no queue of events: each webhook has its position
-- in the audit trail.

CREATE TABLE webhook (
    id               BIGINT PRIMARY KEY,
    name             TEXT NOT NULL,
    url              TEXT NOT NULL,
    keys             BYTEA NOT NULL,        -- sealed
    headers          BYTEA NOT NULL,        -- sealed
    allow_private    SMALLINT NOT NULL,
    disabled_at      BIGINT,
    disabled_reason  TEXT,
    created_at       BIGINT NOT NULL,
    position         TEXT NOT NULL,         -- JSON: see `store/src/store/follow.rs`
    holder           TEXT,                  -- who delivers, until the moment that follows
    held_until       BIGINT NOT NULL
);

CREATE TABLE webhook_delivery (
    id               BIGINT PRIMARY KEY,
    webhook_id       BIGINT NOT NULL REFERENCES webhook (id),
    message_id       TEXT NOT NULL,         -- what the receiver knows it by, in every try
    events           BYTEA NOT NULL,        -- ids of audit entries in order, 8 bytes each, big endian
    status           SMALLINT NOT NULL,     -- 0 waiting, 1 delivered, 2 given up
    replay           SMALLINT NOT NULL,     -- whether it is told again, and holds up nothing
    attempts         INTEGER NOT NULL,
    next_attempt_at  BIGINT NOT NULL,
    began_at         BIGINT NOT NULL,
    http_status      INTEGER,
    fault            TEXT,
    created_at       BIGINT NOT NULL,
    settled_at       BIGINT,
    oldest_at        BIGINT NOT NULL        -- when the first of the events happened
);
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (webhook_id, id) WHERE status = 0;
