-- The dev world's own table: messages in the clear. Made by `countersign dev` only.
CREATE TABLE IF NOT EXISTS dev_outbox (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so that `after` stays true over a reset
    channel          TEXT NOT NULL,
    "to"             TEXT NOT NULL,
    body             TEXT NOT NULL,
    subject          TEXT,
    code             TEXT,
    link             TEXT,
    nonce            TEXT,
    user_id          INTEGER NOT NULL,
    device_id        INTEGER NOT NULL,
    verification_id  BLOB NOT NULL,
    created_at       INTEGER NOT NULL
) STRICT;
