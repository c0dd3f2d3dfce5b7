PRAGMA user_version = 14;
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
, audit_id INTEGER, audit_position INTEGER, audit_hash BLOB, counters BLOB, throttles BLOB) STRICT;
CREATE INDEX user_external_id ON "user" (external_id) WHERE external_id IS NOT NULL;
CREATE TABLE device (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL REFERENCES "user" (id),
    factor           INTEGER NOT NULL,
    display_name     TEXT NOT NULL,
    status           INTEGER NOT NULL,  -- 0 registering, 1 pending, 2 active, 3 disabled
    credential       BLOB NOT NULL,     -- sealed
    created_at       INTEGER NOT NULL, secret_mac BLOB, secret_counts INTEGER) STRICT;
CREATE INDEX device_user ON device (user_id, created_at, id);
CREATE INDEX device_registering ON device (id) WHERE status = 0;
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
, options TEXT NOT NULL DEFAULT '{}') STRICT;
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
CREATE INDEX token_created ON token (created_at);
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
CREATE INDEX verification_sign_in ON verification (state_token) WHERE purpose >= 2 AND live = 1;
CREATE TABLE app (
    id               INTEGER PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    definition       TEXT NOT NULL,         -- JSON
    created_at       INTEGER NOT NULL
) STRICT;
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
    position         TEXT NOT NULL,         -- JSON: see `store/src/follow.rs`
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
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (webhook_id, id) WHERE status = 0;
CREATE TABLE budget (
    kind             INTEGER NOT NULL,             -- see `Budget` in `domain/src/budget.rs`
    subject          BLOB NOT NULL,             -- a keyed digest or an id
    state            BLOB NOT NULL,             -- see `store/src/budgets.rs`
    until            INTEGER NOT NULL,             -- from then on it remembers nothing
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_until ON budget (until);
CREATE INDEX verification_origins ON verification (expires_at)
    WHERE purpose = 3 AND live = 1 AND challenge LIKE '%"origins":["%';
CREATE TABLE login_name (
    key              TEXT NOT NULL,
    place            INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    is_username      INTEGER NOT NULL,
    is_email         INTEGER NOT NULL,
    PRIMARY KEY (key, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_name_collision ON login_name (key) WHERE place <> 0;
CREATE TRIGGER user_old_keys AFTER UPDATE OF username, email ON "user" BEGIN
    UPDATE "user" SET username_key = NULL, email_key = NULL WHERE id = NEW.id;
END;
CREATE INDEX token_family ON token (client_id, family, row_id) WHERE ended_at IS NULL;
CREATE TABLE used_secret (
    mac              BLOB PRIMARY KEY,          -- see `domain/src/used.rs`
    used             INTEGER NOT NULL         -- a code's number, or a second since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX device_secret ON device (secret_mac) WHERE secret_mac IS NOT NULL;
CREATE INDEX device_unmarked ON device (id) WHERE secret_mac IS NULL AND factor IN (5, 6);
CREATE INDEX verification_ended ON verification (expires_at) WHERE live = 0;
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook_id, created_at, id);
CREATE INDEX token_open ON token (client_id, created_at, row_id) WHERE ended_at IS NULL;
INSERT INTO "meta" ("key", "value") VALUES ('key_check', x'010203');
INSERT INTO "meta" ("key", "value") VALUES ('world', x'7365727665');
INSERT INTO "sequence" ("kind", "next") VALUES (1, 65);
INSERT INTO "sequence" ("kind", "next") VALUES (2, 65);
INSERT INTO "sequence" ("kind", "next") VALUES (3, 65);
INSERT INTO "sequence" ("kind", "next") VALUES (4, 65);
INSERT INTO "sequence" ("kind", "next") VALUES (5, 65);
INSERT INTO "sequence" ("kind", "next") VALUES (6, 65);
INSERT INTO "sequence" ("kind", "next") VALUES (7, 65);
INSERT INTO "sequence" ("kind", "next") VALUES (8, 65);
INSERT INTO "client" ("id", "client_id", "name", "scope", "profile", "secrets", "ip_allow", "expires_at", "revoked_at", "wrong_secrets", "created_at", "options") VALUES (1, '0000000000000000000000000000000000000000000000000000000000000001', 'Portal', 'Manage All', 'python4', '[{"digest":[43,184,13,83,123,29,163,227,139,211,3,97,170,133,86,134,189,224,234,205,113,98,254,246,162,95,233,123,245,39,162,91],"last4":"cret","created_at":1700000000000}]', '["10.0.0.0/8"]', 1700001000000, NULL, x'', 1700000000000, '{"holding":{"fixed":7000},"number_matching":true,"sent_is_pending":true,"webotp_host":"example.com"}');
INSERT INTO "token" ("access", "refresh", "client_id", "sealed", "row_id", "family", "created_at", "ended_at") VALUES (x'cd04a4754498e06db5a13c5f371f1f04ff6d2470f24aa9bd886540e5dce77f70', x'd5688a52d55a02ec4aea5ec1eadfffe1c9e0ee6a4ddbe2377f98326d42dfc975', 1, x'0909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909', 1, 1, 1700000000000, NULL);
INSERT INTO "user" ("id", "username", "email", "phone", "external_id", "status", "locked_until", "temp_hash", "temp_expires_at", "temp_reusable", "temp_used_at", "profile", "created_at", "updated_at", "audit_id", "audit_position", "audit_hash", "counters", "throttles") VALUES (1, 'Zoë', 'zoe@example.com', NULL, 'x-1', 7, NULL, NULL, NULL, NULL, NULL, '{"texts":{"external_id":"x-1","title":"\"电\"\n"},"integers":{"group_id":7},"custom_attributes":{"a":"1","b":null},"state":1,"password_hash":null,"password_changed_at":null,"activated_at":null,"last_login":null}', 1700000000000, 1700000000000, 2, 1, x'c666b78b52820b6d8d7f2862fb78a7121bdfc15ae6b12373b7f0bdf25cd92bbd', x'', x'0100000000000000010000000100000000000000000000018bcfe568002d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a488100000200000000000000000000000100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000010000018bcfe56800');
INSERT INTO "user" ("id", "username", "email", "phone", "external_id", "status", "locked_until", "temp_hash", "temp_expires_at", "temp_reusable", "temp_used_at", "profile", "created_at", "updated_at", "audit_id", "audit_position", "audit_hash", "counters", "throttles") VALUES (2, NULL, NULL, NULL, NULL, 7, NULL, NULL, NULL, NULL, NULL, '{"texts":{},"integers":{},"custom_attributes":{},"state":1,"password_hash":null,"password_changed_at":null,"activated_at":null,"last_login":null}', 1700000000000, 1700000000000, 3, 1, x'228bab70054ad10ed97fa57275657c4d655f66adca1710b07e75c880d9020cbb', x'', NULL);
INSERT INTO "user" ("id", "username", "email", "phone", "external_id", "status", "locked_until", "temp_hash", "temp_expires_at", "temp_reusable", "temp_used_at", "profile", "created_at", "updated_at", "audit_id", "audit_position", "audit_hash", "counters", "throttles") VALUES (3, NULL, NULL, NULL, NULL, 7, NULL, NULL, NULL, NULL, NULL, '{"texts":{},"integers":{},"custom_attributes":{},"state":1,"password_hash":null,"password_changed_at":null,"activated_at":null,"last_login":null}', 1700000000000, 1700000000000, 4, 1, x'6420c28774a576bea24e23cc97b134d51eb3a1a4588fd67f3cea64c3ecf15f9e', x'', NULL);
INSERT INTO "user" ("id", "username", "email", "phone", "external_id", "status", "locked_until", "temp_hash", "temp_expires_at", "temp_reusable", "temp_used_at", "profile", "created_at", "updated_at", "audit_id", "audit_position", "audit_hash", "counters", "throttles") VALUES (4, NULL, NULL, NULL, NULL, 7, NULL, NULL, NULL, NULL, NULL, '{"texts":{},"integers":{},"custom_attributes":{},"state":1,"password_hash":null,"password_changed_at":null,"activated_at":null,"last_login":null}', 1700000000000, 1700000000000, 5, 1, x'ba227da64e2efeab674e9d160a738c4a744167d9ec99529da6e4f3ca6fcb465a', x'', NULL);
INSERT INTO "login_name" ("key", "place", "user_id", "is_username", "is_email") VALUES ('zoe@example.com', 0, 1, 0, 1);
INSERT INTO "login_name" ("key", "place", "user_id", "is_username", "is_email") VALUES ('zoë', 0, 1, 1, 0);
INSERT INTO "device" ("id", "user_id", "factor", "display_name", "status", "credential", "secret_mac", "secret_counts", "created_at") VALUES (1, 1, 2, 'Pocket', 2, x'010203', NULL, NULL, 1700000000000);
INSERT INTO "used_secret" ("mac", "used") VALUES (x'07070707070707070707070707070707', 5);
INSERT INTO "verification" ("row_id", "id", "wire_id", "user_id", "device_id", "purpose", "challenge", "answer", "pairing_hash", "status", "closed_at", "attempts", "state_token", "consumed_at", "client_id", "created_at", "expires_at", "live") VALUES (1, x'00000000000000000000000000000004', '00000000-0000-0000-0000-000000000004', 1, 1, 1, '{"code":{"length":6,"alphabet":"digits"}}', x'00000001b61745788605c888f7715fc6fa0d1da5dc2b6ac9f0cd6cd7b308c656922d7865', NULL, 0, NULL, 0, NULL, NULL, NULL, 1700000000000, 1700000120000, 1);
INSERT INTO "outbox" ("id", "user_id", "device_id", "verification_id", "channel", "content", "created_at", "not_after", "status", "reason", "attempts", "next_attempt_at", "settled_at") VALUES (1, 1, 1, x'00000000000000000000000000000004', 'sms', x'07070707070707070707070707070707070707070707070707070707070707070707070707070707', 1700000000000, 1700000120000, 0, NULL, 0, 1700000000000, NULL);
INSERT INTO "audit" ("id", "chain_kind", "chain_id", "position", "previous", "at", "kind", "user_id", "client_id", "device_id", "verification_id", "reason", "ip", "hash") VALUES (1, 1, 1, 1, NULL, 1700000000000, 'client.created', NULL, 1, NULL, NULL, NULL, NULL, x'5e1d7d085875ba7d2e0cc546f44dfc40f5be3b9bd7d9ab22b7abacfd7e557f2b');
INSERT INTO "audit" ("id", "chain_kind", "chain_id", "position", "previous", "at", "kind", "user_id", "client_id", "device_id", "verification_id", "reason", "ip", "hash") VALUES (2, 0, 1, 1, NULL, 1700000000000, 'user.created', 1, NULL, NULL, NULL, NULL, NULL, x'c666b78b52820b6d8d7f2862fb78a7121bdfc15ae6b12373b7f0bdf25cd92bbd');
INSERT INTO "audit" ("id", "chain_kind", "chain_id", "position", "previous", "at", "kind", "user_id", "client_id", "device_id", "verification_id", "reason", "ip", "hash") VALUES (3, 0, 2, 1, NULL, 1700000000000, 'user.created', 2, NULL, NULL, NULL, NULL, NULL, x'228bab70054ad10ed97fa57275657c4d655f66adca1710b07e75c880d9020cbb');
INSERT INTO "audit" ("id", "chain_kind", "chain_id", "position", "previous", "at", "kind", "user_id", "client_id", "device_id", "verification_id", "reason", "ip", "hash") VALUES (4, 0, 3, 1, NULL, 1700000000000, 'user.created', 3, NULL, NULL, NULL, NULL, NULL, x'6420c28774a576bea24e23cc97b134d51eb3a1a4588fd67f3cea64c3ecf15f9e');
INSERT INTO "audit" ("id", "chain_kind", "chain_id", "position", "previous", "at", "kind", "user_id", "client_id", "device_id", "verification_id", "reason", "ip", "hash") VALUES (5, 0, 4, 1, NULL, 1700000000000, 'user.created', 4, NULL, NULL, NULL, NULL, NULL, x'ba227da64e2efeab674e9d160a738c4a744167d9ec99529da6e4f3ca6fcb465a');
INSERT INTO "budget" ("kind", "subject", "state", "until") VALUES (1, x'00000000f33c9ca0fe1a71b80ce7d6af07981851c6158c8b072abe30a69ba65cfb00312b', x'000000000000000000000000000000000000018bcfe56800562b8241781c31a7', 1700086400000);
INSERT INTO "app" ("id", "name", "definition", "created_at") VALUES (1, 'app 1', '{"acs_url":"https://app.example/acs","audience":"https://app.example","name_id":"username","attributes":[["mail","email"]],"aws_roles":[]}', 1700000000000);
INSERT INTO "webhook" ("id", "name", "url", "keys", "headers", "allow_private", "disabled_at", "disabled_reason", "created_at", "position", "holder", "held_until") VALUES (1, 'SIEM', 'https://siem.example/events?a=1', x'050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505', x'060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060606', 1, NULL, NULL, 1700000000000, '{"next":0}', 'node', 1700000000000);
INSERT INTO "webhook_delivery" ("id", "webhook_id", "message_id", "events", "status", "replay", "attempts", "next_attempt_at", "began_at", "http_status", "fault", "created_at", "settled_at", "oldest_at") VALUES (1, 1, 'msg_1', x'00000000000000010000000000000002', 0, 0, 0, 1700000000000, 1700000000000, NULL, NULL, 1700000000000, NULL, 1700000000000);
INSERT INTO "audit_head" ("chain_kind", "chain_id", "audit_id", "position", "hash") VALUES (1, 1, 1, 1, x'5e1d7d085875ba7d2e0cc546f44dfc40f5be3b9bd7d9ab22b7abacfd7e557f2b');
