//! The schema's versions: embedded, numbered and named alike for both databases (SEC 85).

/// A step that brings the schema to its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The version it leads to; the first is 1.
    pub version: i64,
    /// What it is called.
    pub name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
    /// What the server itself does after the statements, in their transaction.
    pub(crate) work: Option<Work>,
}

/// What no database can do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Fills `login_name` from the users that exist ([`crate::login_names::Filling`]).
    LoginNames,
    /// Writes the users that exist anew ([`crate::upgrade`]), piece by piece: nothing may serve meanwhile.
    UserRows,
}

impl Migration {
    /// Whether it writes every user anew, which takes its time and keeps servers from serving.
    pub fn rewrites_users(&self) -> bool {
        self.work == Some(Work::UserRows)
    }
}

macro_rules! migrations {
    ($($version:literal $name:literal $file:literal $($work:ident)?,)*) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../../migrations/postgres/", $file)),
            work: work!($($work)?),
        }),*]
    };
}

macro_rules! work {
    () => {
        None
    };
    ($work:ident) => {
        Some(Work::$work)
    };
}

/// All migrations this server knows, oldest first.
pub const MIGRATIONS: &[Migration] = migrations! {
    1 "init" "0001_init.sql",
    2 "marks" "0002_marks.sql",
    3 "sign_in" "0003_sign_in.sql",
    4 "throttles" "0004_throttles.sql",
    5 "webhooks" "0005_webhooks.sql",
    6 "client_options" "0006_client_options.sql",
    7 "budgets" "0007_budgets.sql",
    8 "origins" "0008_origins.sql",
    9 "login_names" "0009_login_names.sql" LoginNames,
    10 "token_families" "0010_token_families.sql",
    11 "used_secrets" "0011_used_secrets.sql",
    12 "ended_verifications" "0012_ended_verifications.sql",
    13 "delivery_order" "0013_delivery_order.sql",
    14 "token_order" "0014_token_order.sql",
    15 "audit_format" "0015_audit_format.sql",
    16 "user_rows" "0016_user_rows.sql" UserRows,
    17 "message_costs" "0017_message_costs.sql",
};

/// The newest version this server knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// The one that writes users anew.
pub(crate) fn of_user_rows() -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(|migration| migration.rewrites_users())
}

/// Those that a schema of version `found` still needs.
pub(crate) fn after(found: i64) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(move |migration| migration.version > found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_one_another_from_one() {
        assert!(MIGRATIONS.iter().zip(1..).all(|(migration, version)| migration.version == version));
        assert!(MIGRATIONS.iter().all(|migration| !migration.name.is_empty()));
        assert_eq!(after(newest()).count(), 0);
        assert_eq!(after(0).count(), MIGRATIONS.len());
    }
}
