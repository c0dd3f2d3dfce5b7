-- What limits remember that hold over all users and nodes: messages to a recipient, of a client and of the server, and a
-- client's calls.

CREATE TABLE budget (
    kind             SMALLINT NOT NULL,             -- see `Budget` in `domain/src/model/budget.rs`
    subject          BYTEA NOT NULL,             -- a keyed digest or an id
    state            BYTEA NOT NULL,             -- see `store/src/budgets.rs`
    until            BIGINT NOT NULL,             -- from then on it remembers nothing
    PRIMARY KEY (kind, subject)
);
CREATE INDEX budget_until ON budget (until);
