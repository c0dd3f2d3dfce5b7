-- The dev world's own table: messages in the clear. Made by `countersign dev` only.
CREATE TABLE IF NOT EXISTS dev_outbox (
    -- Never used again, so that `after` stays true over a reset.
    id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel          TEXT NOT NULL,
    "to"             TEXT NOT NULL,
    body             TEXT NOT NULL,
    subject          TEXT,
    code             TEXT,
    link             TEXT,
    nonce            TEXT,
    user_id          BIGINT NOT NULL,
    device_id        BIGINT NOT NULL,
    verification_id  BYTEA NOT NULL,
    created_at       BIGINT NOT NULL
);
