-- One namespace for the names that people log in with: user names and mail addresses, by the key of
-- `domain/src/model/name.rs`. New keys are given out at place 0 only, so a key has one holder. Rows of earlier versions that
-- collide all keep theirs: those behind the first are at a place of their own, which is the user's id. The server fills
-- the table when it runs this step, since no database can fold letters as it does.

CREATE TABLE login_name (
    key              TEXT NOT NULL,
    place            BIGINT NOT NULL,
    user_id          BIGINT NOT NULL,
    is_username      SMALLINT NOT NULL,
    is_email         SMALLINT NOT NULL,
    PRIMARY KEY (key, place)
);
CREATE INDEX login_name_collision ON login_name (key) WHERE place <> 0;

ALTER TABLE "user" DROP COLUMN username_key;
ALTER TABLE "user" DROP COLUMN email_key;
