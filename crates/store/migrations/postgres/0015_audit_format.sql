-- An entry names its request, and a refusal its rule. What the hash covers is the entry's format: those that exist have the
-- first.
ALTER TABLE audit
    ADD COLUMN request_id TEXT,
    ADD COLUMN rule TEXT,
    ADD COLUMN format SMALLINT NOT NULL DEFAULT 1;
