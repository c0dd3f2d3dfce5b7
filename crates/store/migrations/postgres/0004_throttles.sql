-- What limits remember moves with every wrong answer, and lies with the other marks in the user's row: a wrong answer
-- then rewrites one row, as a right one does.

ALTER TABLE "user" ADD COLUMN throttles BYTEA;  -- see `store/src/upgrade/old_rows.rs`

UPDATE "user" SET throttles = t.packed FROM (
    SELECT user_id, string_agg(substring(int2send(kind) FROM 2) || int8send(subject) || int4send(consecutive::integer)
        || int8send(COALESCE(locked_until, 0)) || int8send(COALESCE(last_wrong_at, 0))
        || COALESCE(last_wrong, decode(repeat('00', 32), 'hex'))
        || int2send((length(recent) / 8)::smallint) || recent, ''::bytea ORDER BY kind, subject) AS packed
    FROM throttle GROUP BY user_id) t
    WHERE t.user_id = "user".id;

DROP TABLE throttle;
