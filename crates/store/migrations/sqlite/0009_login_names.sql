-- One namespace for the names that people log in with: user names and mail addresses, by the key of
-- `domain/src/model/name.rs`. New keys are given out at place 0 only, so a key has one holder. Rows of earlier versions that
-- collide all keep theirs: those behind the first are at a place of their own, which is the user's id. The server fills
-- the table when it runs this step, since no database can fold letters as it does.

CREATE TABLE login_name (
    key              TEXT NOT NULL,
    place            INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    is_username      INTEGER NOT NULL,
    is_email         INTEGER NOT NULL,
    PRIMARY KEY (key, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_name_collision ON login_name (key) WHERE place <> 0;

-- The old keys are no longer read or written. SQLite cannot drop a unique column without writing the whole table anew;
-- so they stay, and go when their user is renamed.
CREATE TRIGGER user_old_keys AFTER UPDATE OF username, email ON "user" BEGIN
    UPDATE "user" SET username_key = NULL, email_key = NULL WHERE id = NEW.id;
END;
