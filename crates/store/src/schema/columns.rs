//! Which columns make up a row, each list written once. A statement joins the list's names into its text, and a decoder
//! asks for `row.int(DEVICE.factor)`: the position comes from the same list, when the code is compiled. A column that no
//! decoder reads is a warning of the compiler.

/// A list of columns.
pub(crate) trait Columns {
    /// How many columns a row of this list has: where the columns of the next list begin.
    const COUNT: usize;
}

/// Declares lists of columns. Names are prefixed with the table where a list is used in joins; what is no plain column
/// is written out as SQL.
macro_rules! columns {
    ($(
        $(#[$doc:meta])*
        $list:ident: $columns:ident $(of $table:literal)? {
            $first:ident $(= $first_sql:literal)? $(, $name:ident $(= $sql:literal)?)* $(,)?
        }
    )*) => {$(
        #[doc = concat!("The positions of [`", stringify!($list), "`].")]
        pub(crate) struct $columns {
            /// The columns as a statement names them.
            pub(crate) names: &'static str,
            pub(crate) $first: usize,
            $(pub(crate) $name: usize,)*
        }

        impl Columns for $columns {
            const COUNT: usize = [stringify!($first) $(, stringify!($name))*].len();
        }

        impl $columns {
            /// The list in a row whose columns before it are `first` many.
            pub(crate) const fn starting_at(first: usize) -> Self {
                let next = first;
                columns!(@positions next $first $($name)*);
                Self {
                    names: columns!(@names ($($table)?) $first $(= $first_sql)? $(, $name $(= $sql)?)*),
                    $first,
                    $($name,)*
                }
            }
        }

        $(#[$doc])*
        pub(crate) const $list: $columns = $columns::starting_at(0);
    )*};
    (@positions $next:ident $($name:ident)*) => { $(let $name = $next; let $next = $next + 1;)* let _ = $next; };
    (@names $table:tt $first:ident $(= $first_sql:literal)? $(, $name:ident $(= $sql:literal)?)*) => {
        concat!(
            columns!(@name $table $first $(= $first_sql)?)
            $(, ", ", columns!(@name $table $name $(= $sql)?))*
        )
    };
    (@name $table:tt $name:ident = $sql:literal) => { $sql };
    (@name ($table:literal) $name:ident) => { concat!($table, ".", stringify!($name)) };
    (@name () $name:ident) => { stringify!($name) };
}

columns! {
    USER: UserColumns of "\"user\"" {
        id, username, email, phone, status, locked_until, temp_hash, temp_expires_at, temp_reusable, temp_used_at,
        profile, created_at, updated_at,
    }
    /// A user's state beside the user: see [`crate::user_state`].
    STATE: StateColumns of "\"user\"" { audit_id, audit_position, audit_hash, state, ends_at, factors }
    /// The verification that a pairing code or a link belongs to.
    PAIRING: PairingColumns { user_id, verification_id }
    /// A holder of a key that people log in with, of `login_name n` and `"user" u`.
    NAME_HOLDER: NameHolderColumns {
        key = "n.key", user_id = "n.user_id", is_username = "n.is_username", is_email = "n.is_email",
        username = "u.username", email = "u.email",
    }
    /// A secret, and a user who has a device with it.
    SECRET_HOLDER: SecretHolderColumns { mac, user_id }
    /// A device whose secret has no mark yet.
    UNMARKED: UnmarkedColumns { device_id, user_id }
    /// What was used of a secret by devices that are gone.
    USED_SECRET: UsedSecretColumns { mac, used }
    BUDGET: BudgetColumns of "budget" { kind, subject, state }
    APP: AppColumns { id, name, definition, created_at }
    WEBHOOK: WebhookColumns {
        id, name, url, keys, headers, allow_private, disabled_at, disabled_reason, created_at, position,
    }
    DELIVERY: DeliveryColumns {
        id, webhook_id, message_id, events, status, replay, attempts, next_attempt_at, began_at, http_status, fault,
        created_at, settled_at, oldest_at,
    }
    /// A message in the outbox.
    MESSAGE: MessageColumns {
        id, user_id, device_id, verification_id, channel, content, created_at, not_after, attempts, client_id, country,
        block, free,
    }
    /// A message to a telephone that was handed over.
    ASKED: AskedColumns { created_at, country, block, client_id, spent = "cost - free", verified_at }
    /// What messages to telephones cost, of one provider, channel, country and client.
    SPENDING: SpendingColumns of "outbox" {
        provider, channel, country, client_id, messages = "COUNT(*)", verified = "COUNT(verified_at)",
        micros = "CAST(SUM(cost - free) AS bigint)",
    }
    /// How many messages wait, and since when.
    WAITING: WaitingColumns { messages = "COUNT(*)", oldest = "MIN(created_at)" }
    CLIENT: ClientColumns {
        id, client_id, name, scope, profile, secrets, ip_allow, expires_at, revoked_at, wrong_secrets, created_at,
        options,
    }
    TOKEN: TokenColumns { access, refresh, client_id, sealed, row_id, family, created_at, ended_at }
    /// The newest entry of a chain that belongs to no user that exists.
    AUDIT_HEAD: AuditHeadColumns of "audit_head" { audit_id, position, hash }
    /// The chain that an audit head belongs to.
    CHAIN: ChainColumns of "audit_head" { chain_kind, chain_id }
    /// An entry of the audit trail.
    AUDIT: AuditColumns {
        position, previous, at, kind, user_id, client_id, device_id, verification_id, reason, ip, request_id, rule,
        format, hash, id,
    }
    /// A message of the dev world.
    DEV_MESSAGE: DevMessageColumns {
        id, channel, to = "\"to\"", body, subject, code, link, nonce, user_id, device_id, verification_id, created_at,
    }
    /// A user as it was before migration 16, with counters and limits.
    OLD_USER: OldUserColumns {
        id, username, email, phone, external_id, status, locked_until, temp_hash, temp_expires_at, temp_reusable,
        temp_used_at, created_at, updated_at, audit_id, audit_position, audit_hash, profile, counters, throttles,
    }
    /// A device as it was before migration 16.
    OLD_DEVICE: OldDeviceColumns {
        id, user_id, factor, display_name, status, credential, created_at, secret_mac, secret_counts,
    }
    /// A verification or a session as it was before migration 16.
    OLD_VERIFICATION: OldVerificationColumns {
        id, wire_id, user_id, device_id, purpose, challenge, answer, pairing_hash, status, closed_at, attempts,
        state_token, consumed_at, client_id, created_at, expires_at,
    }
    /// How large the tables are that callers make grow, each counted up to `$1`, and the ends of the audit trail.
    SIZES: SizeColumns {
        token = "(SELECT COUNT(*) FROM (SELECT 1 FROM token LIMIT $1) t)",
        lookup = "(SELECT COUNT(*) FROM (SELECT 1 FROM lookup LIMIT $1) t)",
        outbox = "(SELECT COUNT(*) FROM (SELECT 1 FROM outbox LIMIT $1) t)",
        budget = "(SELECT COUNT(*) FROM (SELECT 1 FROM budget LIMIT $1) t)",
        webhook_delivery = "(SELECT COUNT(*) FROM (SELECT 1 FROM webhook_delivery LIMIT $1) t)",
        used_secret = "(SELECT COUNT(*) FROM (SELECT 1 FROM used_secret LIMIT $1) t)",
        first_entry = "(SELECT MIN(id) FROM audit)",
        last_entry = "(SELECT MAX(id) FROM audit)",
        oldest_entry = "(SELECT at FROM audit ORDER BY id LIMIT 1)",
    }
}

/// A user's state, where a row has it after the user.
pub(crate) const USER_STATE: StateColumns = StateColumns::starting_at(UserColumns::COUNT);
/// The chain, where a row has it after its head.
pub(crate) const HEAD_CHAIN: ChainColumns = ChainColumns::starting_at(AuditHeadColumns::COUNT);
/// The database's clock, where a row has it after a budget.
pub(crate) const BUDGET_CLOCK: usize = BudgetColumns::COUNT;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_the_place_of_its_name() {
        assert_eq!((STATE.audit_id, STATE.state, StateColumns::COUNT), (0, 3, 6));
        assert_eq!((USER_STATE.audit_id, USER_STATE.factors), (UserColumns::COUNT, UserColumns::COUNT + 5));
        assert_eq!(SECRET_HOLDER.names, "mac, user_id");
        assert_eq!(AUDIT_HEAD.names, "audit_head.audit_id, audit_head.position, audit_head.hash");
        assert_eq!(WAITING.names, "COUNT(*), MIN(created_at)");
    }
}
