-- What text messages and calls cost, and whether they were answered. Those that exist cost nothing and count for no prefix.
-- A server of the version before may serve beside this one: what it sends counts for no cap and no prefix, and it forgets what it
-- took of the caps for a message that is tried again. So caps hold once all nodes are of this version.
ALTER TABLE outbox ADD COLUMN client_id INTEGER;
ALTER TABLE outbox ADD COLUMN country TEXT;
ALTER TABLE outbox ADD COLUMN block BLOB;
ALTER TABLE outbox ADD COLUMN provider TEXT;
ALTER TABLE outbox ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN free INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN verified_at INTEGER;
CREATE INDEX outbox_asked ON outbox (verification_id) WHERE block IS NOT NULL;
CREATE INDEX outbox_counted ON outbox (created_at) WHERE country IS NOT NULL;
