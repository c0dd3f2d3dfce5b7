//! What our statements, and what we tell callers, rely on in a database. All of it is looked at before a server says that it
//! is ready, so that none of it shows first as a failed call:
//!
//! - a session keeps what it has set and prepared, and hears what it listens for: a pooler may hand it another one;
//! - the server knows our statements, and keeps texts as UTF-8;
//! - each line of [`BEFORE`], [`TO_MIGRATE`] and [`AFTER`].
//!
//! That commits last, and that the server takes writes, is looked at on every connection ([`super::connect`]).

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::connect::Target;
use super::migrate;
use super::replication::Warnings;
use crate::error::OpenError;
use crate::transfer::{TABLES, Table};

/// How many sessions are looked at together: one alone may look whole.
const SESSIONS: usize = 3;
/// How long that may take.
const TIME: Duration = Duration::from_secs(10);
/// The first version that has the settings of [`super::connect::PLANNING`].
const OLDEST: u32 = 120_000;

const FORGETS: OpenError = OpenError::Unsafe(
    "its sessions lose what they have set and prepared, as behind a pooler in transaction or statement mode; use session \
     mode (PgBouncer: pool_mode = session), or connect to the server itself",
);
const FEW: OpenError = OpenError::Unsafe(
    "it does not serve three sessions at once within ten seconds: let a node have eleven connections, of the server's and \
     of a pooler's",
);
const ENCODING: OpenError = OpenError::Unsafe(
    "its texts are not UTF-8; make a database with CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
);
const OLD: OpenError = OpenError::Unsafe("it is too old: PostgreSQL 12 or newer is needed");

/// A thing that must be so.
pub(super) struct Demand {
    /// What it is about, in short.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests go through the lists by it"))]
    pub(super) name: &'static str,
    /// A query for whether it is so. In [`AFTER`] its parameter is the list of our tables.
    asked: &'static str,
    /// What is said where it is not: what is wrong, and what to do.
    refusal: &'static str,
}

/// What must be so before the tables are looked at.
pub(super) const BEFORE: &[Demand] = &[
    Demand {
        name: "schema",
        asked: "SELECT current_schema() IS NOT NULL",
        refusal: "no schema of the search_path exists, or this role may not use it: create it, GRANT USAGE ON SCHEMA, or \
                  reset the search_path of the role and the database",
    },
    Demand {
        name: "triggers",
        asked: "SELECT current_setting('session_replication_role') <> 'replica'",
        refusal: "session_replication_role is replica, so foreign keys do not hold; reset it for the role and the database",
    },
    Demand {
        name: "connections",
        asked: "SELECT rolsuper OR ((rolconnlimit < 0 OR rolconnlimit >= 11) AND (datconnlimit < 0 OR datconnlimit >= 11)) \
                FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()",
        refusal: "the limit of connections of this role or this database is too low: allow eleven for each node (ALTER ROLE \
                  name CONNECTION LIMIT n, ALTER DATABASE name CONNECTION LIMIT n)",
    },
];

/// What must be so where tables have to be made or changed.
pub(super) const TO_MIGRATE: &[Demand] = &[Demand {
    name: "migrating",
    asked: "SELECT has_schema_privilege(current_schema(), 'CREATE')",
    refusal: "this role may not make tables, and the schema has to be brought up to date: make the role the owner of the \
              database, or GRANT CREATE ON SCHEMA, or run `countersign migrate` as a role that may",
}];

/// What must be so of every table.
pub(super) const AFTER: &[Demand] = &[
    Demand {
        name: "rights",
        asked: "SELECT COALESCE(bool_and(has_table_privilege(t.name, p.name)), true) FROM unnest($1::text[]) AS t (name), \
                unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (name)",
        refusal: "this role may not read and write all of the tables: make it their owner, or GRANT SELECT, INSERT, UPDATE, \
                  DELETE on them",
    },
    Demand {
        name: "row security",
        asked: "SELECT COALESCE(bool_and(NOT row_security_active(t.name)), true) FROM unnest($1::text[]) AS t (name)",
        refusal: "row security hides rows of a table from this role, perhaps counted failures: ALTER TABLE name DISABLE ROW \
                  LEVEL SECURITY",
    },
    Demand {
        name: "unlogged",
        asked: "SELECT COALESCE(bool_and(relpersistence = 'p'), true) FROM pg_class \
                WHERE oid IN (SELECT t.name::regclass::oid FROM unnest($1::text[]) AS t (name))",
        refusal: "a table is unlogged, so a crash empties it and could make used codes usable again: ALTER TABLE name SET \
                  LOGGED",
    },
];

/// A session's process and what it has set last; the process as text, for compatible servers number sessions otherwise.
const WHO: &str = "SELECT pg_backend_pid()::text, current_setting('lock_timeout')";

/// Looks at what must be there before the tables are.
pub(super) async fn before(target: &Target, client: &Client) -> Result<(), OpenError> {
    timeout(TIME, keeps_sessions(target)).await.unwrap_or(Err(FEW))?;
    let row = client
        .query_one("SELECT current_setting('server_encoding'), current_setting('server_version_num'), version()", &[])
        .await?;
    judge(row.try_get(0)?, row.try_get(1)?)?;
    all_met(client, row.try_get(2)?, BEFORE, &[]).await?;
    if migrate::pending(client).await?.is_empty() {
        return Ok(());
    }
    all_met(client, row.try_get(2)?, TO_MIGRATE, &[]).await
}

/// Looks at what must be there once the tables are.
pub(super) async fn after(client: &Client) -> Result<(), OpenError> {
    let tables: Vec<String> = TABLES.iter().map(Table::quoted).collect();
    let version = client.query_one("SELECT version()", &[]).await?;
    all_met(client, version.try_get(0)?, AFTER, &[&tables]).await
}

async fn all_met(
    client: &Client,
    version: &str,
    demands: &[Demand],
    params: &[&(dyn ToSql + Sync)],
) -> Result<(), OpenError> {
    for demand in demands {
        match client.query_opt(demand.asked, params).await {
            Ok(Some(row)) if row.try_get::<_, Option<bool>>(0)? == Some(true) => {}
            Ok(_) => return Err(OpenError::Unsafe(demand.refusal)),
            // A compatible server may lack what is asked for, and with it what could be wrong.
            Err(error) if !is_postgresql(version) && error.as_db_error().is_some() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether it is PostgreSQL itself; its relatives say so behind its name, or in place of it.
fn is_postgresql(version: &str) -> bool {
    version.starts_with("PostgreSQL ") && !version.contains("-YB-")
}

fn judge(encoding: &str, version: &str) -> Result<(), OpenError> {
    if !matches!(encoding.to_ascii_uppercase().as_str(), "UTF8" | "UTF-8") {
        return Err(ENCODING);
    }
    if version.parse::<u32>().is_ok_and(|version| version < OLDEST) { Err(OLD) } else { Ok(()) }
}

struct Session {
    client: Client,
    who: Statement,
    process: String,
    lock_timeout: usize,
}

impl Session {
    /// Opens one that differs from the others by a setting.
    async fn begin(target: &Target, number: usize) -> Result<Self, OpenError> {
        let (client, driver) = target.dial().await?;
        Warnings::default().drive(driver);
        let lock_timeout = 2_001 + number;
        client.batch_execute(&format!("SET lock_timeout = {lock_timeout}")).await?;
        let who = client.prepare(WHO).await?;
        let process = client.query_one(&who, &[]).await?.try_get(0)?;
        Ok(Self { client, who, process, lock_timeout })
    }

    /// Whether it is still the same one, as it was set.
    async fn is_kept(&self) -> Result<(), OpenError> {
        let row = self.client.query_one(&self.who, &[]).await?;
        let set = row.try_get::<_, &str>(1)?.trim_end_matches("ms").parse() == Ok(self.lock_timeout);
        if set && self.process == row.try_get::<_, &str>(0)? { Ok(()) } else { Err(FORGETS) }
    }
}

/// Says what it means that a statement was prepared in another session.
pub(super) fn explained(error: OpenError) -> OpenError {
    match error {
        OpenError::Postgres(cause)
            if matches!(
                cause.code(),
                Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT)
            ) =>
        {
            FORGETS
        }
        other => other,
    }
}

/// Each in turn keeps its session busy while the others are asked who they are.
async fn keeps_sessions(target: &Target) -> Result<(), OpenError> {
    let mut sessions = Vec::with_capacity(SESSIONS);
    for number in 0..SESSIONS {
        sessions.push(Session::begin(target, number).await.map_err(explained)?);
    }
    // A relative that does not number its sessions calls all of them 0.
    let processes: HashSet<&str> = sessions.iter().map(|session| session.process.as_str()).collect();
    if processes.len() < SESSIONS && !processes.contains("0") {
        return Err(FORGETS);
    }
    for busy in &sessions {
        busy.client.batch_execute("BEGIN").await?;
        for session in &sessions {
            session.is_kept().await.map_err(explained)?;
        }
        busy.client.batch_execute("ROLLBACK").await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_old_or_of_another_encoding_is_refused_by_name() {
        assert!(judge("UTF8", "150018").is_ok());
        for (encoding, version, said) in
            [("LATIN1", "150018", "UTF-8"), ("SQL_ASCII", "150018", "UTF-8"), ("UTF8", "110022", "too old")]
        {
            let refused = judge(encoding, version).unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn the_connections_asked_for_are_those_of_a_node() {
        let options = super::super::PostgresOptions::default();
        // Decisions, budgets, look-ups, the rest, lists, and the one that listens.
        let needed = options.lanes + 1 + options.readers + options.pool + crate::query::LISTS + 1;
        assert_eq!(needed, 11);
        assert!(BEFORE.iter().any(|demand| demand.asked.contains(">= 11") && demand.refusal.contains("eleven")));
    }
}
