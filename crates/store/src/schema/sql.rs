//! Every statement, once, in words that SQLite and PostgreSQL both understand.
//!
//! Parameters first appear in ascending order (`$1`, `$2`, …), since SQLite numbers them by appearance; a test reads
//! every statement. What cannot be said alike in both is marked "differs".

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $($part:expr),+;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $crate::schema::text::joined!($($part),+);)*
        /// All statements by name, for the test that reads them.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

use super::columns;
use super::text::joined;

statements! {
    // ---- a user with all that decisions see

    USER_STATE = "SELECT ", columns::USER.names, ", ", columns::STATE.names, " FROM \"user\" WHERE id = $1";
    SET_STATE = "UPDATE \"user\" SET audit_id = $1, audit_position = $2, audit_hash = $3, state = $4 WHERE id = $5";
    SET_STATE_AND_ENDS = "UPDATE \"user\" SET audit_id = $1, audit_position = $2, audit_hash = $3, state = $4, \
        ends_at = $5, factors = $6 WHERE id = $7";

    // ---- what is found without knowing whose it is

    INSERT_LOOKUP = "INSERT INTO lookup (key, kind, user_id, verification_id) VALUES ($1, $2, $3, $4)";
    DELETE_LOOKUP = "DELETE FROM lookup WHERE key = $1";
    LOOKUP = "SELECT user_id FROM lookup WHERE key = $1 AND kind = $2";
    PAIRING = "SELECT ", columns::PAIRING.names, " FROM lookup WHERE key = $1 AND kind = 1";
    LINK = "SELECT ", columns::PAIRING.names, " FROM lookup WHERE key = $1 AND kind = 4";
    INSERT_ORIGIN = "INSERT INTO session_origin (origin, token, ends_at) VALUES ($1, $2, $3)";
    DELETE_ORIGIN = "DELETE FROM session_origin WHERE origin = $1 AND token = $2";
    INSERT_BEGUN = "INSERT INTO begun_by (client_id, user_id) VALUES ($1, $2)";
    DELETE_BEGUN = "DELETE FROM begun_by WHERE client_id = $1 AND user_id = $2";
    /// No rows of a client that is not revoked.
    BEGUN_BY_REVOKED = "SELECT user_id FROM begun_by WHERE client_id = (SELECT id FROM client WHERE id = $1 \
        AND revoked_at IS NOT NULL) AND user_id > $2 ORDER BY user_id LIMIT $3";
    REVOKED_WITH_BEGUN = "SELECT id FROM client WHERE revoked_at IS NOT NULL \
        AND EXISTS (SELECT 1 FROM begun_by WHERE client_id = client.id) ORDER BY id";
    LISTS_ORIGIN = "SELECT 1 FROM session_origin WHERE origin = $1 AND ends_at > $2 LIMIT 1";

    // ---- users

    /// The first, where several have it: another system's ids are not ours to keep unique.
    USER_BY_EXTERNAL_ID = "SELECT id FROM \"user\" WHERE external_id = $1 ORDER BY id LIMIT 1";
    INSERT_USER = "INSERT INTO \"user\" (id, username, email, phone, external_id, status, locked_until, profile, \
        created_at, updated_at, factors) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)";
    UPDATE_USER = "UPDATE \"user\" SET phone = $1, external_id = $2, status = $3, locked_until = $4, profile = $5, \
        updated_at = $6 WHERE id = $7";
    /// Differs: these are SQLite's words.
    FORGET_VISITS = "UPDATE \"user\" SET profile = json_remove(profile, '$.visits') WHERE id = $1";
    RENAME_USER = "UPDATE \"user\" SET username = $1, email = $2 WHERE id = $3";
    SET_TEMP_TOKEN = "UPDATE \"user\" SET temp_hash = $1, temp_expires_at = $2, temp_reusable = $3, temp_used_at = $4 \
        WHERE id = $5";
    DELETE_USER_MESSAGES = "DELETE FROM outbox WHERE user_id = $1 AND status = 0";
    DELETE_USER = "DELETE FROM \"user\" WHERE id = $1";

    // ---- the names that people log in with

    NAME_HOLDERS = "SELECT ", columns::NAME_HOLDER.names, " FROM login_name n \
        JOIN \"user\" u ON u.id = n.user_id WHERE n.key = $1 ORDER BY n.user_id";
    /// No rows if somebody else holds the key, whether since long or since a moment ago.
    CLAIM_NAME = "INSERT INTO login_name (key, place, user_id, is_username, is_email) SELECT CAST($1 AS text), 0, \
        CAST($2 AS bigint), CAST($3 AS smallint), CAST($4 AS smallint) WHERE NOT EXISTS \
        (SELECT 1 FROM login_name WHERE key = $1 AND user_id <> $2) ON CONFLICT (key, place) DO NOTHING";
    RELABEL_NAME = "UPDATE login_name SET is_username = $1, is_email = $2 WHERE key = $3 AND user_id = $4";
    /// The same, but no rows if somebody else holds the key too.
    RESPELL_NAME = "UPDATE login_name SET is_username = $1, is_email = $2 WHERE key = $3 AND user_id = $4 \
        AND NOT EXISTS (SELECT 1 FROM login_name other WHERE other.key = $3 AND other.user_id <> $4)";
    RELEASE_NAME = "DELETE FROM login_name WHERE key = $1 AND user_id = $2";
    /// The columns of [`NAME_HOLDERS`]. Keys that only one user is left with come too.
    COLLISIONS = "SELECT ", columns::NAME_HOLDER.names, " FROM login_name n \
        JOIN \"user\" u ON u.id = n.user_id WHERE n.key IN (SELECT key FROM login_name WHERE place <> 0) \
        ORDER BY n.key, n.user_id LIMIT $1";
    COLLIDING_NAMES = "SELECT COUNT(*) FROM (SELECT key FROM login_name WHERE key IN \
        (SELECT key FROM login_name WHERE place <> 0) GROUP BY key HAVING COUNT(*) > 1) AS colliding";

    // ---- the secrets of devices

    INSERT_SECRET_DEVICE = "INSERT INTO secret_device (mac, device_id, user_id) VALUES ($1, $2, $3)";
    DELETE_SECRET_DEVICE = "DELETE FROM secret_device WHERE mac = $1 AND device_id = $2";
    SECRET_HOLDERS = "SELECT ", columns::SECRET_HOLDER.names, " FROM secret_device WHERE mac = $1";
    /// Never less than is remembered.
    REMEMBER_USED = "INSERT INTO used_secret (mac, used) VALUES ($1, $2) ON CONFLICT (mac) DO UPDATE SET \
        used = excluded.used WHERE excluded.used > used_secret.used";
    USED_SECRET = "SELECT ", columns::USED_SECRET.names, " FROM used_secret WHERE mac = $1";
    COUNT_UNMARKED = "SELECT COUNT(*) FROM unmarked_device";
    UNMARKED_DEVICES = "SELECT ", columns::UNMARKED.names, " FROM unmarked_device WHERE device_id > $1 \
        ORDER BY device_id LIMIT $2";
    INSERT_UNMARKED = "INSERT INTO unmarked_device (device_id, user_id) VALUES ($1, $2)";
    DELETE_UNMARKED = "DELETE FROM unmarked_device WHERE device_id = $1";

    // ---- budgets, of which each is a subject of decisions

    SET_BUDGET = "INSERT INTO budget (kind, subject, state, until) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (kind, subject) DO UPDATE SET state = excluded.state, until = excluded.until";
    /// Those of days: messages and money, of clients, countries and the server.
    DAY_BUDGETS = "SELECT ", columns::BUDGET.names, " FROM budget WHERE kind IN (2, 3, 9, 10, 11) ORDER BY kind, subject";

    PREFIXES = "SELECT ", columns::BUDGET.names, " FROM budget WHERE kind IN (12, 13)";

    // ---- apps

    APP = "SELECT ", columns::APP.names, " FROM app WHERE id = $1";
    APPS = "SELECT ", columns::APP.names, " FROM app ORDER BY name";
    INSERT_APP = "INSERT INTO app (id, name, definition, created_at) VALUES ($1, $2, $3, $4)";
    DELETE_APP = "DELETE FROM app WHERE id = $1";

    // ---- webhooks

    WEBHOOK = "SELECT ", columns::WEBHOOK.names, " FROM webhook WHERE id = $1";
    WEBHOOKS = "SELECT ", columns::WEBHOOK.names, " FROM webhook ORDER BY created_at, id";
    INSERT_WEBHOOK = "INSERT INTO webhook (id, name, url, keys, headers, allow_private, disabled_at, disabled_reason, \
        created_at, position, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    SET_WEBHOOK_KEYS = "UPDATE webhook SET keys = $1 WHERE id = $2 AND keys = $3";
    SET_WEBHOOK_DISABLED = "UPDATE webhook SET disabled_at = $1, disabled_reason = $2 WHERE id = $3";
    HOLD_WEBHOOK = "UPDATE webhook SET holder = $1, held_until = $2 WHERE id = $3 \
        AND (held_until <= $4 OR holder = $1)";
    PROLONG_WEBHOOK = "UPDATE webhook SET held_until = $1 WHERE id = $2 AND holder = $3";
    RELEASE_WEBHOOK = "UPDATE webhook SET holder = NULL, held_until = 0 WHERE id = $1 AND holder = $2";
    MOVE_WEBHOOK = "UPDATE webhook SET position = $1, held_until = $2 WHERE id = $3 AND holder = $4";
    UNHOLD_WEBHOOK = "UPDATE webhook SET holder = NULL WHERE id = $1";
    DELETE_WEBHOOK = "DELETE FROM webhook WHERE id = $1";
    DELIVERY = "SELECT ", columns::DELIVERY.names, " FROM webhook_delivery WHERE id = $1";
    DELIVERIES = "SELECT ", columns::DELIVERY.names, " FROM webhook_delivery WHERE webhook_id = $1 \
        ORDER BY created_at DESC, id DESC LIMIT $2";
    FAILED_DELIVERIES = "SELECT ", columns::DELIVERY.names, " FROM webhook_delivery WHERE webhook_id = $1 \
        AND status = 2 ORDER BY created_at DESC, id DESC LIMIT $2";
    WAITING_DELIVERIES = "SELECT ", columns::DELIVERY.names, " FROM webhook_delivery WHERE webhook_id = $1 \
        AND status = 0 ORDER BY replay, created_at, id";
    INSERT_DELIVERY = "INSERT INTO webhook_delivery (id, webhook_id, message_id, events, status, replay, attempts, \
        next_attempt_at, began_at, http_status, fault, created_at, settled_at, oldest_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    RECORD_TRY = "UPDATE webhook_delivery SET status = $1, attempts = attempts + 1, next_attempt_at = $2, \
        http_status = $3, fault = $4, settled_at = $5 WHERE id = $6 AND status = 0";
    REPLAY_DELIVERY = "UPDATE webhook_delivery SET status = 0, replay = 1, attempts = 0, next_attempt_at = $1, \
        began_at = $1, http_status = NULL, fault = NULL, settled_at = NULL WHERE id = $2 AND status <> 0";
    OLDEST_UNDELIVERED = "SELECT MIN(d.oldest_at) FROM webhook_delivery d WHERE d.status = 0 AND d.replay = 0 \
        AND EXISTS (SELECT 1 FROM webhook w WHERE w.id = d.webhook_id AND w.disabled_at IS NULL)";
    DELETE_DELIVERIES = "DELETE FROM webhook_delivery WHERE webhook_id = $1";
    /// Each node draws ascending ids, so the oldest rows are among the first.
    SWEEP_DELIVERIES = "DELETE FROM webhook_delivery WHERE status <> 0 AND created_at <= $1 \
        AND id IN (SELECT id FROM webhook_delivery ORDER BY id LIMIT $2)";

    // ---- messages

    INSERT_MESSAGE = "INSERT INTO outbox (id, user_id, device_id, verification_id, channel, content, created_at, \
        not_after, status, attempts, next_attempt_at, client_id, country, block, cost, free) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, $11, $12, $13, $13)";
    WIPE_MESSAGES = "UPDATE outbox SET status = 2, content = $1, reason = $2 WHERE user_id = $3 \
        AND verification_id = $4 AND status = 0";
    WIPE_DEVICE_MESSAGES = "UPDATE outbox SET status = 2, content = $1, reason = 'device' WHERE user_id = $2 \
        AND device_id = $3 AND status = 0";
    DUE_MESSAGES = "SELECT ", columns::MESSAGE.names, " FROM outbox WHERE status = 0 AND channel = $1 AND next_attempt_at <= $2 \
        AND (attempts % $3 > $4 AND attempts % $3 <= $5 OR attempts % $3 > $6) ORDER BY next_attempt_at LIMIT $7";
    ENDED_MESSAGES = "SELECT ", columns::MESSAGE.names, " FROM outbox WHERE status = 0 AND channel = $1 AND not_after <= $2 \
        AND next_attempt_at <= $2 LIMIT $3";
    /// What is set aside is spent from here on, unless a sender says otherwise: one that dies says nothing.
    CLAIM_MESSAGE = "UPDATE outbox SET attempts = $1, next_attempt_at = $2, free = 0 WHERE id = $3 AND status = 0";
    NEXT_MESSAGE_AT = "SELECT next_attempt_at FROM outbox WHERE status = 0 AND channel = $1 \
        AND (attempts % $2 > $3 AND attempts % $2 <= $4 OR attempts % $2 > $5) ORDER BY next_attempt_at LIMIT 1";
    WAITING_MESSAGES = "SELECT ", columns::WAITING.names, " FROM outbox WHERE status = 0";
    SETTLE_MESSAGE = "UPDATE outbox SET status = $1, reason = $2, content = $3, settled_at = $4, provider = $5, \
        cost = cost - free - $6, free = 0 WHERE id = $7 AND status = 0";
    RETRY_MESSAGE = "UPDATE outbox SET next_attempt_at = $1, free = $2 WHERE id = $3 AND status = 0 \
        AND next_attempt_at = $4";
    /// As before its claim: what was set aside is set aside again.
    PUT_BACK_MESSAGE = "UPDATE outbox SET attempts = $1, next_attempt_at = $2, free = $3 WHERE id = $4 AND status = 0 \
        AND next_attempt_at = $5";
    PAY_MESSAGE = "UPDATE outbox SET cost = cost + $1 WHERE id = $2 AND status = 0";
    MARK_VERIFIED = "UPDATE outbox SET verified_at = $1 WHERE verification_id = $2 AND block IS NOT NULL";
    /// Messages to telephones that were handed over.
    ASKED_MESSAGES = "SELECT ", columns::ASKED.names, " FROM outbox WHERE country IS NOT NULL AND created_at >= $1 \
        AND status = 1 ORDER BY created_at, id";
    SPENDING = "SELECT ", columns::SPENDING.names, " FROM outbox WHERE country IS NOT NULL AND created_at >= $1 \
        AND (status = 1 OR cost > free) GROUP BY provider, channel, country, client_id \
        ORDER BY provider, channel, country, client_id";

    // ---- clients and tokens

    CLIENT = "SELECT ", columns::CLIENT.names, " FROM client WHERE id = $1";
    CLIENT_BY_PUBLIC_ID = "SELECT ", columns::CLIENT.names, " FROM client WHERE client_id = $1";
    CLIENTS = "SELECT ", columns::CLIENT.names, " FROM client ORDER BY id";
    INSERT_CLIENT = "INSERT INTO client (id, client_id, name, scope, profile, secrets, ip_allow, expires_at, \
        revoked_at, wrong_secrets, created_at, options) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    UPDATE_CLIENT = "UPDATE client SET name = $1, scope = $2, profile = $3, secrets = $4, ip_allow = $5, \
        expires_at = $6, revoked_at = $7, options = $8 WHERE id = $9";
    SET_WRONG_SECRETS = "UPDATE client SET wrong_secrets = $1 WHERE id = $2";
    TOKEN = "SELECT ", columns::TOKEN.names, " FROM token \
        WHERE access = $1";
    NEWEST_TOKEN = "SELECT ", columns::TOKEN.names, " FROM token \
        WHERE client_id = $1 AND ended_at IS NULL AND sealed IS NOT NULL ORDER BY created_at DESC, row_id DESC LIMIT 1";
    NEWEST_OF_FAMILY = "SELECT ", columns::TOKEN.names, " FROM token \
        WHERE client_id = $1 AND family = (SELECT family FROM token WHERE access = $2) AND ended_at IS NULL \
        AND sealed IS NOT NULL ORDER BY row_id DESC LIMIT 1";
    INSERT_TOKEN = "INSERT INTO token (access, refresh, client_id, sealed, row_id, family, created_at, ended_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    REPLACE_TOKEN = "UPDATE token SET sealed = NULL WHERE access = $1 AND ended_at IS NULL";
    END_TOKEN_FAMILY = "UPDATE token SET ended_at = $1, sealed = NULL WHERE client_id = $2 AND family = $3 \
        AND ended_at IS NULL";
    END_TOKENS = "UPDATE token SET ended_at = $1, sealed = NULL WHERE client_id = $2 AND ended_at IS NULL";

    // ---- the audit trail

    /// Heads of chains that belong to no user that exists; the others are among the user's marks.
    AUDIT_HEAD = "SELECT ", columns::AUDIT_HEAD.names, " FROM audit_head WHERE chain_kind = $1 AND chain_id = $2";
    /// The head of any chain.
    ANY_AUDIT_HEAD = "SELECT ", columns::AUDIT_HEAD.names, " FROM audit_head WHERE chain_kind = $1 AND chain_id = $2 \
        UNION ALL SELECT audit_id, audit_position, audit_hash FROM \"user\" WHERE $1 = 0 AND id = $2 \
        AND audit_id IS NOT NULL";
    LAST_AUDIT_ID = "SELECT MAX(id) FROM audit";
    FIRST_AUDIT_ID = "SELECT MIN(id) FROM audit";
    INSERT_AUDIT = "INSERT INTO audit (id, chain_kind, chain_id, position, previous, at, kind, user_id, client_id, \
        device_id, verification_id, reason, ip, request_id, rule, format, hash) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    UPSERT_AUDIT_HEAD = "INSERT INTO audit_head (chain_kind, chain_id, audit_id, position, hash) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (chain_kind, chain_id) DO UPDATE SET audit_id = excluded.audit_id, \
        position = excluded.position, hash = excluded.hash";
    AUDIT_TRAIL = "WITH RECURSIVE trail AS (SELECT a.* FROM audit a WHERE a.id IN \
        (SELECT audit_id FROM audit_head WHERE chain_kind = $1 AND chain_id = $2 \
        UNION ALL SELECT audit_id FROM \"user\" WHERE $1 = 0 AND id = $2) \
        UNION ALL SELECT b.* FROM trail t JOIN audit b ON b.id = t.previous) \
        SELECT ", columns::AUDIT.names, " FROM trail ORDER BY position";

    // ---- ids and the server's own values

    RESERVE_IDS = "INSERT INTO sequence (kind, next) VALUES ($1, $2 + 1) ON CONFLICT (kind) DO UPDATE SET \
        next = sequence.next + $2 RETURNING next";
    SEQUENCE = "SELECT next FROM sequence WHERE kind = $1";
    SWEEP_CALLS = "DELETE FROM sequence WHERE kind < 0 AND kind NOT IN ($1, $2)";
    META = "SELECT value FROM meta WHERE key = $1";
    SET_META = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    SET_META_IF_ABSENT = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
    SWAP_META = "UPDATE meta SET value = $1 WHERE key = $2 AND value = $3";
    RAISE_META = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value \
        WHERE excluded.value > meta.value";
    DELETE_META = "DELETE FROM meta WHERE key = $1";
    ALIVE = "SELECT 1";
    SIZES = "SELECT ", columns::SIZES.names;
    /// What a move has left here.
    MARKS = "SELECT key, value FROM meta WHERE key IN ('moved_to', 'arriving_from')";

    // ---- the clean-up, in bounded pieces

    /// Users in whose state something is over.
    USERS_WITH_OVER = "SELECT id FROM \"user\" WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2";
    LEAVE_DAMAGED = "UPDATE \"user\" SET ends_at = NULL WHERE id = $1";
    SWEEP_BUDGETS = "DELETE FROM budget WHERE (kind, subject) IN (SELECT kind, subject FROM budget WHERE until <= $1 \
        ORDER BY until LIMIT $2)";
    SWEEP_TOKENS = "DELETE FROM token WHERE access IN (SELECT access FROM token WHERE created_at <= $1 \
        ORDER BY created_at LIMIT $2)";
    /// The oldest rows are among the first here too.
    SWEEP_MESSAGES = "DELETE FROM outbox WHERE status <> 0 AND created_at <= $1 \
        AND id IN (SELECT id FROM outbox ORDER BY id LIMIT $2)";

    // ---- before time is taken back

    /// Those with a temporary token that is over or was issued after the time to come, those with visits, whose ends are in the
    /// profile, and those with anything else that runs out.
    USERS_WITH_ENDS = "SELECT ", columns::USER.names, ", ", columns::STATE.names, " FROM \"user\" \
        WHERE id > $1 AND id <= $2 AND ((temp_hash IS NOT NULL \
        AND (temp_expires_at <= $3 OR temp_expires_at > $4)) OR profile ->> 'visits' IS NOT NULL \
        OR ends_at IS NOT NULL) ORDER BY id";
    USER_BEHIND = "SELECT id FROM \"user\" WHERE id > $1 ORDER BY id LIMIT 1";
    END_OVER_TOKENS = "UPDATE token SET ended_at = $1, sealed = NULL WHERE ended_at IS NULL AND access IN \
        (SELECT access FROM token WHERE created_at <= $2 AND ended_at IS NULL ORDER BY created_at LIMIT $3)";
    AGE_OVER_TOKENS = "UPDATE token SET created_at = $1 WHERE ended_at IS NULL AND access IN (SELECT access FROM token \
        WHERE created_at > $1 AND created_at <= $2 AND ended_at IS NULL ORDER BY created_at LIMIT $3)";

    REDATE_TOKENS = "UPDATE token SET created_at = $1 WHERE ended_at IS NULL AND access IN (SELECT access FROM token \
        WHERE created_at > $1 AND ended_at IS NULL ORDER BY created_at LIMIT $2)";

    // ---- the dev world

    DEV_RECORD = "INSERT INTO dev_outbox (channel, \"to\", body, subject, code, link, nonce, user_id, device_id, \
        verification_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id";
    DEV_CLEAR_OUTBOX = "DELETE FROM dev_outbox";
    DEV_CLEAR_MESSAGES = "DELETE FROM outbox";
    DEV_CLEAR_LOOKUPS = "DELETE FROM lookup";
    DEV_CLEAR_UNMARKED = "DELETE FROM unmarked_device";
    DEV_CLEAR_BEGUN = "DELETE FROM begun_by";
    DEV_CLEAR_ORIGINS = "DELETE FROM session_origin";
    DEV_CLEAR_SECRET_DEVICES = "DELETE FROM secret_device";
    DEV_CLEAR_USED = "DELETE FROM used_secret";
    DEV_CLEAR_STATES = "UPDATE \"user\" SET state = NULL, ends_at = NULL, factors = 0";
    DEV_CLEAR_TOKENS = "DELETE FROM token";
    DEV_CLEAR_WRONG_SECRETS = "UPDATE client SET wrong_secrets = $1";
    DEV_CLEAR_BUDGETS = "DELETE FROM budget";
    DEV_CLEAR_TEMP_TOKENS = "UPDATE \"user\" SET temp_hash = NULL, temp_expires_at = NULL, temp_reusable = NULL, \
        temp_used_at = NULL WHERE temp_hash IS NOT NULL";
    DEV_UNLOCK_USERS = "UPDATE \"user\" SET status = COALESCE(CAST(profile ->> 'status_under_lock' AS INTEGER), \
        CASE WHEN profile ->> 'password_hash' IS NULL THEN 7 ELSE 1 END), locked_until = NULL WHERE status = 3";
}

// ---- lists whose conditions are put together; the conditions use the parameters from `$n` on, ascending

/// Users that meet conditions that are appended.
pub(crate) const USERS: &str = joined!("SELECT ", columns::USER.names, " FROM \"user\" WHERE 1 = 1");
/// How many users meet the conditions that are appended.
pub(crate) const COUNT_USERS: &str = "SELECT COUNT(*) FROM \"user\" WHERE 1 = 1";
/// Entries of the audit trail that meet the conditions that are appended.
pub(crate) const EVENTS: &str = joined!("SELECT ", columns::AUDIT.names, " FROM audit WHERE 1 = 1");
/// The dev world's messages that meet the conditions that are appended.
pub(crate) const DEV_OUTBOX: &str = joined!("SELECT ", columns::DEV_MESSAGE.names, " FROM dev_outbox WHERE 1 = 1");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions;
    use crate::query::{DevFilter, EventFilter, Page, Span, TextFilter, UserFilter};

    /// The numbers of the parameters, in order of appearance.
    fn numbers(statement: &str) -> Vec<usize> {
        statement
            .split('$')
            .skip(1)
            // `$.` begins a JSON path.
            .filter(|rest| !rest.starts_with('.'))
            .map(|rest| {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                digits.parse().unwrap_or_else(|_| panic!("a parameter without a number in {statement}"))
            })
            .collect()
    }

    #[track_caller]
    fn assert_ascending(name: &str, statement: &str) {
        let mut highest = 0;
        for number in numbers(statement) {
            assert!(number <= highest + 1, "{name}: ${number} appears before ${}", highest + 1);
            highest = highest.max(number);
        }
    }

    #[test]
    fn parameters_first_appear_in_ascending_order() {
        assert!(ALL.len() > 60);
        for (name, statement) in ALL {
            assert_ascending(name, statement);
        }
        let user = UserFilter {
            id: Some(domain::UserId(1)),
            user_ids: Some(vec![domain::UserId(1), domain::UserId(2)]),
            username: Some(TextFilter::exactly("a")),
            email: Some(TextFilter::exactly("a")),
            external_id: Some(TextFilter::exactly("a")),
            samaccountname: Some(TextFilter::exactly("a")),
            firstname: Some(TextFilter::exactly("a")),
            lastname: Some(TextFilter::exactly("a")),
            directory_id: Some(1),
            group_id: Some(1),
            created: Span { since: Some(domain::Timestamp(1)), until: Some(domain::Timestamp(2)) },
            updated: Span { since: Some(domain::Timestamp(1)), until: None },
            last_login: Span { since: None, until: Some(domain::Timestamp(2)) },
            custom_attributes: vec![("a".into(), TextFilter { text: "b*".into(), wildcards: true, negated: true })],
            without_usable: Some(vec![domain::FactorKind::Totp]),
        };
        let page = Page { limit: 1, offset: 2 };
        for (text, params) in conditions::users_page(&user, page, &crate::sqlite::sql::WORDS) {
            assert_ascending("users", &text);
            assert_eq!(numbers(&text).into_iter().max(), Some(params.len()));
        }
        let event = EventFilter {
            id: None,
            kinds: Some(vec!["a", "b"]),
            user: Some(domain::UserId(1)),
            client: Some(domain::ClientId(1)),
            at: Span { since: Some(domain::Timestamp(1)), until: Some(domain::Timestamp(2)) },
        };
        let (text, params) = conditions::of_events(&event, (1, 2), true, 3);
        assert_ascending("events", &text);
        assert_eq!(numbers(&text).into_iter().max(), Some(params.len()));
        let dev = DevFilter {
            after: Some(1),
            user_id: Some(domain::UserId(1)),
            device_id: Some(domain::DeviceId(1)),
            verification_id: Some(domain::VerificationId(uuid::Uuid::nil())),
            channel: Some(domain::Channel::Sms),
            to: Some("a".into()),
        };
        let (text, params) = conditions::of_dev_messages(&dev);
        assert_ascending("dev_outbox", &text);
        assert_eq!(numbers(&text).into_iter().max(), Some(params.len()));
    }

    #[test]
    fn values_are_never_written_into_a_statement() {
        for (name, statement) in ALL {
            assert!(!statement.contains(['{', '}', ';']), "{name}");
        }
    }
}
