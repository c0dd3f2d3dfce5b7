-- What limits remember moves with every wrong answer, and lies with the other marks in the user's row: a wrong answer
-- then rewrites one row, as a right one does.

ALTER TABLE "user" ADD COLUMN throttles BLOB;   -- see `store/src/upgrade/old_rows.rs`

UPDATE "user" SET throttles =
    (SELECT unhex(group_concat(printf('%02x%016x%08x%016x%016x', kind, subject, consecutive, COALESCE(locked_until, 0),
        COALESCE(last_wrong_at, 0)) || hex(COALESCE(last_wrong, zeroblob(32)))
        || printf('%04x', length(recent) / 8) || hex(recent), ''))
     FROM throttle WHERE user_id = "user".id)
WHERE id IN (SELECT user_id FROM throttle);

DROP TABLE throttle;
