-- What was used of a secret outlives its device and its user: a secret that is brought again, by an import for example,
-- goes on where it was left. While a device lives, its counter lies with its user; this table has what is left of those
-- that are gone. It holds a keyed digest and a number, and nothing of anybody.
--
-- The digests are under a key that lies sealed in `meta`, so no database can make those of devices that exist. The server
-- does, after this step and before it is ready.

CREATE TABLE used_secret (
    mac              BLOB PRIMARY KEY,          -- see `domain/src/model/secret_mark.rs`
    used             INTEGER NOT NULL         -- a code's number, or a second since 1970
) STRICT, WITHOUT ROWID;

ALTER TABLE device ADD COLUMN secret_mac BLOB;       -- null where the factor has none, or it is not made yet
ALTER TABLE device ADD COLUMN secret_counts INTEGER; -- seconds of a time step, 0 for codes

CREATE INDEX device_secret ON device (secret_mac) WHERE secret_mac IS NOT NULL;
-- Empty but for the moment after this step.
CREATE INDEX device_unmarked ON device (id) WHERE secret_mac IS NULL AND factor IN (5, 6);
