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
    LOCK_USERS = "SELECT ", columns::USER.names, ", ", columns::COUNTERS.names, " FROM \"user\" WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    USERS_OF = "SELECT ", columns::USER.names, ", ", columns::COUNTERS.names, " FROM \"user\" WHERE id = ANY($1)";
    USERNAME_HOLDERS = "SELECT ", columns::NAME_HOLDER.names, " FROM login_name n \
        JOIN \"user\" u ON u.id = n.user_id WHERE n.key = ANY($1) AND n.is_username = 1";
    USERS_BY_EXTERNAL_ID = "SELECT external_id, MIN(id) FROM \"user\" WHERE external_id = ANY($1) GROUP BY external_id";
    DEVICES_OF = "SELECT ", columns::DEVICE.names, " FROM device WHERE user_id = ANY($1) ORDER BY created_at, id";
    LIVE_VERIFICATIONS_OF = "SELECT ", columns::VERIFICATION.names, " FROM verification \
        WHERE user_id = ANY($1) AND live = 1 ORDER BY row_id";
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

    /// Moves marks that are still where they were read; a chain can lose no entry, whatever was locked.
    SET_MARKS_OF = "UPDATE \"user\" SET audit_id = n.audit_id, audit_position = n.position, audit_hash = n.hash, \
        counters = n.counters, throttles = n.throttles FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], \
        $4::bytea[], $5::bytea[], $6::bigint[], $7::bigint[]) \
        AS n (audit_id, position, hash, counters, throttles, id, previous) \
        WHERE \"user\".id = n.id AND \"user\".audit_id IS NOT DISTINCT FROM n.previous";
    COUNT_ATTEMPTS = "UPDATE verification SET attempts = attempts + 1 WHERE id = ANY($1) AND status = 0";
    CLOSE_VERIFICATIONS = "UPDATE verification SET status = n.status, closed_at = n.closed_at, \
        consumed_at = n.consumed_at, answer = NULL, pairing_hash = NULL, \
        live = CASE WHEN state_token IS NULL THEN 0 ELSE n.collectable END \
        FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bytea[]) \
        AS n (status, closed_at, consumed_at, collectable, id) \
        WHERE verification.id = n.id AND verification.status = 0";
    INSERT_VERIFICATIONS = "INSERT INTO verification (id, wire_id, user_id, device_id, purpose, challenge, answer, \
        pairing_hash, status, closed_at, attempts, state_token, consumed_at, client_id, created_at, expires_at, live) \
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[], $6::text[], \
        $7::bytea[], $8::bytea[], $9::smallint[], $10::bigint[], $11::integer[], $12::bytea[], $13::bigint[], \
        $14::bigint[], $15::bigint[], $16::bigint[], $17::smallint[])";

    // ---- what was used of secrets

    /// In one order, so that no two transactions wait for each other.
    REMEMBER_ALL_USED = "INSERT INTO used_secret (mac, used) SELECT n.mac, MAX(n.used) \
        FROM unnest($1::bytea[], $2::bigint[]) AS n (mac, used) GROUP BY n.mac ORDER BY n.mac \
        ON CONFLICT (mac) DO UPDATE SET used = excluded.used WHERE excluded.used > used_secret.used";
    /// The devices with these secrets, held as they are until a new device with one of them is in: what they use meanwhile comes
    /// behind it.
    HOLD_HOLDERS = "SELECT id FROM \"user\" WHERE id = ANY(ARRAY(SELECT user_id FROM device WHERE secret_mac = ANY($1))) \
        ORDER BY id FOR SHARE";
    /// No join: a plan made before the table is analysed would read all users.
    RECALL_ALL_USED = "SELECT ", columns::USED_SECRET.names, " FROM used_secret WHERE mac = ANY($1) \
        UNION ALL SELECT d.secret_mac, NULL::bigint, d.id, d.secret_counts, \
        (SELECT u.counters FROM \"user\" u WHERE u.id = d.user_id) FROM device d WHERE d.secret_mac = ANY($1)";
    HOLDERS_OF_SECRETS = "SELECT ", columns::SECRET_HOLDER.names, " FROM device WHERE secret_mac = ANY($1)";
    MARK_SECRETS = "UPDATE device SET secret_mac = n.mac, secret_counts = n.counts \
        FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS n (mac, counts, id) \
        WHERE device.id = n.id AND device.secret_mac IS NULL";

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

    // ---- the outbox, shared by all nodes

    CLAIM_DUE_MESSAGES = "SELECT ", columns::MESSAGE.names, " FROM outbox WHERE status = 0 AND channel = $1 AND next_attempt_at <= $2 \
        AND (attempts % $3 > $4 AND attempts % $3 <= $5 OR attempts % $3 > $6) ORDER BY next_attempt_at LIMIT $7 \
        FOR UPDATE SKIP LOCKED";
    CLAIM_MESSAGES = "UPDATE outbox SET attempts = claimed.passed, next_attempt_at = $1 \
        FROM unnest($2::bigint[], $3::bigint[]) AS claimed (id, passed) \
        WHERE outbox.id = claimed.id AND outbox.status = 0";

    // ---- the clean-up: what decisions see changes under the same lock as theirs, and what is locked is left for later

    SWEEP_OVER = "SELECT row_id, user_id FROM verification WHERE live = 1 AND expires_at > 0 \
        AND expires_at <= $1 ORDER BY expires_at LIMIT $2";
    LOCK_FREE_USERS = "SELECT id FROM \"user\" WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED";
    SWEEP_PENDING_OF = "UPDATE verification SET status = 3, live = 0, answer = NULL, pairing_hash = NULL \
        WHERE row_id = ANY($1) AND user_id = ANY($2) AND live = 1 AND status = 0";
    SWEEP_RESULTS_OF = "UPDATE verification SET state_token = NULL, live = 0 \
        WHERE row_id = ANY($1) AND user_id = ANY($2) AND live = 1 AND status <> 0";
    SWEEP_OLD_VERIFICATIONS = "DELETE FROM verification WHERE row_id IN (SELECT row_id FROM verification \
        WHERE live = 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    SWEEP_OLD_TOKENS = "DELETE FROM token WHERE access IN (SELECT access FROM token WHERE created_at <= $1 \
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    SWEEP_OLD_MESSAGES = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE status <> 0 \
        AND created_at <= $1 AND id IN (SELECT id FROM outbox ORDER BY id LIMIT $2) FOR UPDATE SKIP LOCKED)";
    SWEEP_OLD_BUDGETS = "DELETE FROM budget WHERE (kind, subject) IN (SELECT kind, subject FROM budget \
        WHERE until <= $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED)";
    SWEEP_HIDDEN = "SELECT id, user_id FROM device WHERE status = 0 AND NOT EXISTS (SELECT 1 FROM verification v \
        WHERE v.user_id = device.user_id AND v.live = 1 AND v.device_id = device.id AND v.status = 0) \
        ORDER BY id LIMIT $1";
    SWEEP_STILL_HIDDEN = "SELECT id FROM device WHERE id = ANY($1) AND user_id = ANY($2) AND status = 0 \
        AND NOT EXISTS (SELECT 1 FROM verification v WHERE v.user_id = device.user_id AND v.live = 1 \
        AND v.device_id = device.id AND v.status = 0) ORDER BY id";

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
