-- What moves with nearly every decision about a user moves in one row: the head of the user's chain in the audit trail
-- and the counters of the user's devices. A verification then rewrites the row it has locked, and no other.

ALTER TABLE "user" ADD COLUMN audit_id BIGINT;
ALTER TABLE "user" ADD COLUMN audit_position BIGINT;
ALTER TABLE "user" ADD COLUMN audit_hash BYTEA;
ALTER TABLE "user" ADD COLUMN counters BYTEA;   -- device, counter, last use: 24 bytes each, big endian
-- Room in each page lets a row move without touching an index.
ALTER TABLE "user" SET (fillfactor = 70);

UPDATE "user" SET audit_id = h.audit_id, audit_position = h.position, audit_hash = h.hash
    FROM audit_head h WHERE h.chain_kind = 0 AND h.chain_id = "user".id;
DELETE FROM audit_head WHERE chain_kind = 0 AND chain_id IN (SELECT id FROM "user");
UPDATE "user" SET counters = d.counters FROM (
    SELECT user_id, string_agg(int8send(id) || int8send(last_counter) || int8send(COALESCE(last_used_at, 0)),
        ''::bytea ORDER BY id) AS counters
    FROM device WHERE last_counter <> -1 OR last_used_at IS NOT NULL GROUP BY user_id) d
    WHERE d.user_id = "user".id;

ALTER TABLE device DROP COLUMN last_counter;
ALTER TABLE device DROP COLUMN last_used_at;
