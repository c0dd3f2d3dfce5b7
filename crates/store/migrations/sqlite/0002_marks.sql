-- What moves with nearly every decision about a user moves in one row: the head of the user's chain in the audit trail
-- and the counters of the user's devices. A verification then rewrites one page beside the trail's end, not three.

ALTER TABLE "user" ADD COLUMN audit_id INTEGER;
ALTER TABLE "user" ADD COLUMN audit_position INTEGER;
ALTER TABLE "user" ADD COLUMN audit_hash BLOB;
ALTER TABLE "user" ADD COLUMN counters BLOB;    -- device, counter, last use: 24 bytes each, big endian

UPDATE "user" SET (audit_id, audit_position, audit_hash) =
    (SELECT audit_id, position, hash FROM audit_head WHERE chain_kind = 0 AND chain_id = "user".id);
DELETE FROM audit_head WHERE chain_kind = 0 AND chain_id IN (SELECT id FROM "user");
UPDATE "user" SET counters =
    (SELECT unhex(group_concat(printf('%016x%016x%016x', id, last_counter, COALESCE(last_used_at, 0)), ''))
     FROM device WHERE user_id = "user".id AND (last_counter <> -1 OR last_used_at IS NOT NULL));

ALTER TABLE device DROP COLUMN last_counter;
ALTER TABLE device DROP COLUMN last_used_at;
