//! What a database consists of, for carrying it elsewhere: every table with its columns and its key. A test compares
//! the list with the schema, so that a column added by a migration cannot be left behind.

use crate::error::Error;
use crate::value::{Row, Value};

/// Rows held in memory at a time.
pub(crate) const PIECE: usize = 1_000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Blob,
    /// A text to one database and a structure to the other: the same if it says the same.
    Json,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The key's columns come first.
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// How many columns the key has.
    pub(crate) key: usize,
}

macro_rules! table {
    ($name:literal [$($key:ident $key_kind:ident),*] $($column:ident $kind:ident),*) => {
        Table {
            name: $name,
            columns: &[$((stringify!($key), Kind::$key_kind),)* $((stringify!($column), Kind::$kind),)*],
            key: [$(stringify!($key)),*].len(),
        }
    };
}

/// All tables, in an order in which whatever a row refers to is there before it.
pub(crate) const TABLES: &[Table] = &[
    table!("meta" [key Text] value Blob),
    table!("sequence" [kind Int] next Int),
    table!("client" [id Int] client_id Text, name Text, scope Text, profile Text, secrets Text, ip_allow Text,
        expires_at Int, revoked_at Int, wrong_secrets Blob, created_at Int, options Text),
    table!("token" [access Blob] refresh Blob, client_id Int, sealed Blob, row_id Int, family Int, created_at Int,
        ended_at Int),
    table!("user" [id Int] username Text, email Text, phone Text, external_id Text, status Int, locked_until Int,
        temp_hash Blob, temp_expires_at Int, temp_reusable Int, temp_used_at Int, created_at Int, updated_at Int,
        factors Int, ends_at Int, audit_id Int, audit_position Int, audit_hash Blob, profile Json, state Blob),
    table!("login_name" [key Text, place Int] user_id Int, is_username Int, is_email Int),
    table!("lookup" [key Blob] kind Int, user_id Int, verification_id Blob),
    table!("session_origin" [origin Text, token Blob] ends_at Int),
    table!("begun_by" [client_id Int, user_id Int]),
    table!("secret_device" [mac Blob, device_id Int] user_id Int),
    table!("unmarked_device" [device_id Int] user_id Int),
    table!("used_secret" [mac Blob] used Int),
    table!("outbox" [id Int] user_id Int, device_id Int, verification_id Blob, channel Text, content Blob,
        created_at Int, not_after Int, status Int, reason Text, attempts Int, next_attempt_at Int, settled_at Int,
        client_id Int, country Text, block Blob, provider Text, cost Int, free Int, verified_at Int),
    table!("audit" [id Int] chain_kind Int, chain_id Int, position Int, previous Int, at Int, kind Text, user_id Int,
        client_id Int, device_id Int, verification_id Blob, reason Text, ip Text, request_id Text, rule Text, format Int, hash Blob),
    table!("budget" [kind Int, subject Blob] state Blob, until Int),
    table!("app" [id Int] name Text, definition Json, created_at Int),
    table!("webhook" [id Int] name Text, url Text, keys Blob, headers Blob, allow_private Int, disabled_at Int,
        disabled_reason Text, created_at Int, position Text, holder Text, held_until Int),
    table!("webhook_delivery" [id Int] webhook_id Int, message_id Text, events Blob, status Int, replay Int,
        attempts Int, next_attempt_at Int, began_at Int, http_status Int, fault Text, created_at Int, settled_at Int,
        oldest_at Int),
    table!("audit_head" [chain_kind Int, chain_id Int] audit_id Int, position Int, hash Blob),
];

impl Table {
    /// Its columns, as a statement lists them.
    pub(crate) fn column_list(&self) -> String {
        let quoted: Vec<String> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        quoted.join(", ")
    }

    /// Its name, as a statement has it.
    pub(crate) fn quoted(&self) -> String {
        quoted(self.name)
    }

    /// A statement for its next rows by ascending key. `after` is whether rows up to a key, `$1, $2, ..`, are left out.
    /// `collate` makes a database order texts by their bytes.
    pub(crate) fn select(&self, after: bool, collate: &str, limit: usize) -> String {
        let key: Vec<String> = self.columns[..self.key]
            .iter()
            .map(|(name, kind)| if *kind == Kind::Text { format!("{}{collate}", quoted(name)) } else { quoted(name) })
            .collect();
        let key = key.join(", ");
        let places: Vec<String> = (1..=self.key).map(|number| format!("${number}")).collect();
        let beyond = if after { format!("({key}) > ({})", places.join(", ")) } else { "1 = 1".to_owned() };
        let (columns, name, own) = (self.column_list(), self.quoted(), self.own());
        format!("SELECT {columns} FROM {name} WHERE {own} AND {beyond} ORDER BY {key} LIMIT {limit}")
    }

    /// A statement for the number of its rows.
    pub(crate) fn count(&self) -> String {
        format!("SELECT COUNT(*) FROM {} WHERE {}", self.quoted(), self.own())
    }

    /// Which rows belong to the installation. PostgreSQL draws the ids of audit entries from a sequence of number 0,
    /// SQLite from the entries themselves. The marks of a move are its database's.
    fn own(&self) -> &'static str {
        match self.name {
            "sequence" => "kind > 0",
            "meta" => "key <> 'moved_to' AND key <> 'arriving_from'",
            _ => "1 = 1",
        }
    }

    /// The values of a row.
    pub(crate) fn values(&self, row: &dyn Row) -> Result<Vec<Value>, Error> {
        let value = |(number, (_, kind)): (usize, &(&str, Kind))| {
            Ok(match kind {
                Kind::Int => row.opt_int(number)?.into(),
                Kind::Text => row.opt_text(number)?.into(),
                Kind::Blob => row.opt_blob(number)?.map(<[u8]>::to_vec).into(),
                Kind::Json => row.opt_text(number)?.map(canonical).transpose()?.into(),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The one text of all that say the same: names in order, no spaces.
fn canonical(json: &str) -> Result<String, Error> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|_| Error::Corrupt("a profile"))?;
    Ok(value.to_string())
}
