//! The statements that only PostgreSQL runs: loads under a lock, and the forms that do the work of many rows at once.
//! CockroachDB and YugabyteDB understand them too: no advisory locks, and what is locked is keyed by user or client.

use crate::conditions::Words;
use crate::schema::columns;
use crate::schema::sql::statements;

statements! {
    /// How many of the dev world's own tables there are.
    HAS_DEV_TABLES = "SELECT COUNT(to_regclass('dev_outbox'))";

    FORGET_VISITS = "UPDATE \"user\" SET profile = profile - 'visits' WHERE id = $1";

    // ---- many users' views at once; the columns are those of the shared statements

    /// Locks in the order of ids, so that two transactions never wait for each other.
    LOCK_USERS = "SELECT ", columns::USER.names, ", ", columns::STATE.names, " FROM \"user\" WHERE id = ANY($1) \
        ORDER BY id FOR UPDATE";
    USERS_OF = "SELECT ", columns::USER.names, ", ", columns::STATE.names, " FROM \"user\" WHERE id = ANY($1)";
    USERNAME_HOLDERS = "SELECT ", columns::NAME_HOLDER.names, " FROM login_name n \
        JOIN \"user\" u ON u.id = n.user_id WHERE n.key = ANY($1) AND n.is_username = 1";
    USERS_BY_EXTERNAL_ID = "SELECT external_id, MIN(id) FROM \"user\" WHERE external_id = ANY($1) GROUP BY external_id";
    /// The chain comes last. A join, since a plan made while the table was small would read all chains of a kind.
    AUDIT_HEADS_OF = "SELECT ", columns::AUDIT_HEAD.names, ", ", columns::CHAIN.names, " \
        FROM unnest($1::smallint[], $2::bigint[]) AS n (kind, id) \
        JOIN audit_head ON audit_head.chain_kind = n.kind AND audit_head.chain_id = n.id";
    LOCK_CLIENT = "SELECT ", columns::CLIENT.names, " FROM client WHERE id = $1 FOR UPDATE";

    /// A budget that does not exist cannot be locked, so it is made first. All nodes take them in one order.
    MAKE_BUDGETS = "INSERT INTO budget (kind, subject, state, until) SELECT n.kind, n.subject, ''::bytea, 0 \
        FROM unnest($1::smallint[], $2::bytea[]) AS n (kind, subject) ORDER BY n.kind, n.subject \
        ON CONFLICT (kind, subject) DO NOTHING";
    /// The clock is the server's, one for all nodes, and is read once the lock is held.
    LOCK_BUDGETS = "SELECT ", columns::BUDGET.names, ", (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM (\
        SELECT ", columns::BUDGET.names, " FROM unnest($1::smallint[], $2::bytea[]) AS n (kind, subject) \
        JOIN budget ON budget.kind = n.kind AND budget.subject = n.subject \
        ORDER BY budget.kind, budget.subject FOR UPDATE OF budget) AS budget";

    // ---- one change of many users at once, in the order of the single statement's parameters

    /// Writes states that are still as they were read; a chain can lose no entry, whatever was locked.
    SET_STATES = "UPDATE \"user\" SET audit_id = n.audit_id, audit_position = n.position, audit_hash = n.hash, \
        state = n.state, ends_at = n.ends_at, factors = n.factors FROM unnest($1::bigint[], $2::bigint[], \
        $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) \
        AS n (audit_id, position, hash, state, ends_at, factors, id, previous) \
        WHERE \"user\".id = n.id AND \"user\".audit_id IS NOT DISTINCT FROM n.previous";
    INSERT_LOOKUPS = "INSERT INTO lookup (key, kind, user_id, verification_id) \
        SELECT * FROM unnest($1::bytea[], $2::smallint[], $3::bigint[], $4::bytea[])";
    INSERT_ALL_BEGUN = "INSERT INTO begun_by (client_id, user_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])";
    DELETE_ALL_BEGUN = "DELETE FROM begun_by USING unnest($1::bigint[], $2::bigint[]) AS n (client_id, user_id) \
        WHERE begun_by.client_id = n.client_id AND begun_by.user_id = n.user_id";
    DELETE_ORIGINS = "DELETE FROM session_origin USING unnest($1::text[], $2::bytea[]) AS n (origin, token) \
        WHERE session_origin.origin = n.origin AND session_origin.token = n.token";
    WIPE_ALL_MESSAGES = "UPDATE outbox SET status = 2, content = n.content, reason = n.reason \
        FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bytea[]) \
        AS n (content, reason, user_id, verification_id) WHERE outbox.user_id = n.user_id \
        AND outbox.verification_id = n.verification_id AND outbox.status = 0";
    DELETE_LOOKUPS = "DELETE FROM lookup WHERE key = ANY($1)";

    // ---- what was used of secrets

    /// In one order, so that no two transactions wait for each other.
    REMEMBER_ALL_USED = "INSERT INTO used_secret (mac, used) SELECT n.mac, MAX(n.used) \
        FROM unnest($1::bytea[], $2::bigint[]) AS n (mac, used) GROUP BY n.mac ORDER BY n.mac \
        ON CONFLICT (mac) DO UPDATE SET used = excluded.used WHERE excluded.used > used_secret.used";
    /// The users who have devices with these secrets.
    HOLD_HOLDERS = "SELECT ", columns::USER.names, ", ", columns::STATE.names, " FROM \"user\" WHERE id = ANY(ARRAY(\
        SELECT user_id FROM secret_device WHERE mac = ANY($1))) ORDER BY id FOR SHARE";
    RECALL_ALL_USED = "SELECT ", columns::USED_SECRET.names, " FROM used_secret WHERE mac = ANY($1)";
    HOLDERS_OF_SECRETS = "SELECT ", columns::SECRET_HOLDER.names, " FROM secret_device WHERE mac = ANY($1)";

    // ---- the audit trail

    INSERT_AUDITS = "INSERT INTO audit (id, chain_kind, chain_id, position, previous, at, kind, user_id, client_id, \
        device_id, verification_id, reason, ip, request_id, rule, format, hash) SELECT * FROM unnest($1::bigint[], $2::smallint[], \
        $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], \
        $10::bigint[], $11::bytea[], $12::text[], $13::text[], $14::text[], $15::text[], $16::smallint[], $17::bytea[])";
    /// The same for chains that belong to no user that exists.
    MOVE_AUDIT_HEADS = "UPDATE audit_head SET audit_id = n.audit_id, position = n.position, hash = n.hash \
        FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[]) \
        AS n (chain_kind, chain_id, audit_id, position, hash, previous) \
        WHERE audit_head.chain_kind = n.chain_kind AND audit_head.chain_id = n.chain_id \
        AND audit_head.audit_id = n.previous";
    INSERT_AUDIT_HEADS = "INSERT INTO audit_head (chain_kind, chain_id, audit_id, position, hash) \
        SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])";

    /// The next block of ids, on the grid of [`crate::audit_ids::BLOCK`] wherever the count stood.
    RESERVE_AUDIT_IDS = "INSERT INTO sequence (kind, next) VALUES ($1, $2 + 1) ON CONFLICT (kind) DO UPDATE SET \
        next = sequence.next + ($2 - (sequence.next - 1) % $2) % $2 + $2 RETURNING next";
    NEWEST_OF_BLOCKS = "SELECT b.low, (SELECT MAX(a.id) FROM audit a WHERE a.id >= b.low AND a.id < b.low + $3) \
        FROM generate_series($1::bigint, $2::bigint, $3::bigint) AS b (low) ORDER BY b.low";
    SERVER_TIME = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)";

    MARK_ALL_VERIFIED = "UPDATE outbox SET verified_at = n.at FROM unnest($1::bigint[], $2::bytea[]) \
        AS n (at, verification_id) WHERE outbox.verification_id = n.verification_id AND outbox.block IS NOT NULL";

    // ---- the outbox, shared by all nodes

    CLAIM_DUE_MESSAGES = "SELECT ", columns::MESSAGE.names, " FROM outbox WHERE status = 0 AND channel = $1 AND next_attempt_at <= $2 \
        AND (attempts % $3 > $4 AND attempts % $3 <= $5 OR attempts % $3 > $6) ORDER BY next_attempt_at LIMIT $7 \
        FOR UPDATE SKIP LOCKED";
    CLAIM_MESSAGES = "UPDATE outbox SET attempts = claimed.passed, next_attempt_at = $1, free = 0 \
        FROM unnest($2::bigint[], $3::bigint[]) AS claimed (id, passed) \
        WHERE outbox.id = claimed.id AND outbox.status = 0";

    // ---- the clean-up: what decisions see changes under the same lock as theirs, and what is locked is left for later

    LOCK_FREE_USERS = "SELECT ", columns::USER.names, ", ", columns::STATE.names, " FROM \"user\" WHERE id = ANY($1) \
        AND ends_at <= $2 ORDER BY id FOR UPDATE SKIP LOCKED";
    SWEEP_OLD_TOKENS = "DELETE FROM token WHERE access IN (SELECT access FROM token WHERE created_at <= $1 \
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    SWEEP_OLD_MESSAGES = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE status <> 0 \
        AND created_at <= $1 AND id IN (SELECT id FROM outbox ORDER BY id LIMIT $2) FOR UPDATE SKIP LOCKED)";
    SWEEP_OLD_BUDGETS = "DELETE FROM budget WHERE (kind, subject) IN (SELECT kind, subject FROM budget \
        WHERE until <= $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED)";

    // ---- the dev world

    /// Taken by a transaction that must be alone: a migration, or a writer of the dev world's outbox, whose ids then ascend in the
    /// order of commits.
    BYTES = "SELECT pg_database_size(current_database())";
    LOCK_SCHEMA = "SELECT version FROM schema_version WHERE id = 1 FOR UPDATE";
    DEV_LOCK_USERS = "SELECT id FROM \"user\" ORDER BY id FOR UPDATE";
}

/// The names that the first users' custom attributes have.
pub(super) const ATTRIBUTE_NAMES: &str = "SELECT DISTINCT name FROM (SELECT profile FROM \"user\" ORDER BY id \
    LIMIT $1) AS u, jsonb_object_keys(u.profile -> 'custom_attributes') AS name";

/// What only PostgreSQL says so.
pub(super) const WORDS: Words = Words {
    has_attribute: "EXISTS (SELECT 1 FROM jsonb_each_text(profile -> 'custom_attributes') WHERE key = ? AND ",
    matches: "LIKE ? ESCAPE '!'",
    pattern: |text| text.replace('!', "!!").replace('%', "!%").replace('_', "!_").replace('*', "%"),
};

#[cfg(test)]
mod tests {
    #[test]
    fn values_are_never_written_into_a_statement() {
        for (name, statement) in super::ALL {
            assert!(!statement.contains(['{', '}', ';']), "{name}");
        }
    }
}
