//! Brings the schema up to date (SEC 85): all pending steps in one transaction, then the users that must be written anew, piece
//! by piece. Nodes that start at once take turns by locking the row that holds the version.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::conn::BEGIN;
use super::copy::copy_in;
use super::sql;
use crate::dev_clock::DEV_CLOCK;
use crate::error::OpenError;
use crate::login_names::{self, FILL_PIECE, Filling};
use crate::schema::migrations::{self, Migration, Work};
use crate::schema::sql as shared;
use crate::transfer::mark::TransferMarks;
use crate::upgrade::{Rewriting, postgres as upgrade};
use crate::world::{KEY_CHECK, Known, Looked, MARK};

/// One row: the version of the schema.
const VERSION_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL)";
const FIRST_VERSION: &str = "INSERT INTO schema_version (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";
const VERSION: &str = "SELECT version FROM schema_version WHERE id = 1";

/// The migrations a server would run on this database, after checking that it knows its schema.
pub(super) async fn pending(client: &Client) -> Result<Vec<Migration>, OpenError> {
    let found = match client.query_opt(VERSION, &[]).await {
        Ok(row) => row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => 0,
        Err(error) => return Err(error.into()),
    };
    let known = migrations::newest();
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    let mut pending: Vec<Migration> = migrations::after(found).copied().collect();
    if pending.iter().all(|migration| !migration.rewrites_users()) && upgrade::is_begun(client).await? {
        pending.splice(..0, migrations::of_user_rows().copied());
    }
    Ok(pending)
}

/// What is in this database. Changes nothing.
pub(super) async fn look(client: &Client) -> Result<Looked, OpenError> {
    let pending = pending(client).await?;
    let (known, key_check) =
        if pending.len() == migrations::MIGRATIONS.len() { (Known::Nothing, None) } else { known(client).await? };
    Ok(Looked { known, key_check, pending })
}

/// What is known of the world of a database that has a schema, and its key check.
pub(super) async fn known(client: &Client) -> Result<(Known, Option<Vec<u8>>), OpenError> {
    let tables: i64 = client.query_one(sql::HAS_DEV_TABLES, &[]).await?.try_get(0)?;
    let rows = client.query("SELECT key, value FROM meta WHERE key IN ($1, $2, $3)", &[&MARK, &DEV_CLOCK, &KEY_CHECK]);
    let (mut mark, mut clock, mut key_check) = (None, false, None);
    for row in rows.await? {
        match row.try_get::<_, &str>(0)? {
            MARK => mark = Some(row.try_get::<_, Vec<u8>>(1)?),
            DEV_CLOCK => clock = true,
            _ => key_check = Some(row.try_get::<_, Vec<u8>>(1)?),
        }
    }
    Ok((Known::judge(mark.as_deref(), tables > 0 || clock, key_check.is_some())?, key_check))
}

/// The marks that a move has left; none in a database without tables.
pub(super) async fn marks(client: &Client) -> Result<TransferMarks, OpenError> {
    let mut marks = TransferMarks::default();
    match client.query(shared::MARKS, &[]).await {
        Ok(rows) => {
            for row in rows {
                marks.take(row.try_get(0)?, row.try_get(1)?);
            }
        }
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(marks)
}

/// Runs the migrations that are pending.
pub(super) async fn run(client: &Client, rewriting: &Rewriting) -> Result<(), OpenError> {
    let known = pending(client).await?;
    if known.is_empty() {
        return Ok(());
    }
    // A database without a schema has no users either.
    if known.len() < migrations::MIGRATIONS.len() {
        client.batch_execute(BEGIN).await?;
        client.query_one(sql::LOCK_SCHEMA, &[]).await?;
        // Another node may have been faster.
        let rewrites = pending(client).await?.iter().any(Migration::rewrites_users);
        let users = if rewrites { upgrade::users(client).await? } else { 0 };
        client.batch_execute("ROLLBACK").await?;
        if users > rewriting.most_users {
            return Err(OpenError::ManyUsers(users));
        }
    }
    // One that was begun must end before anything else changes.
    if upgrade::is_begun(client).await? {
        upgrade::rewrite(client, rewriting).await?;
    }
    run_steps(client).await?;
    if upgrade::is_begun(client).await? { upgrade::rewrite(client, rewriting).await } else { Ok(()) }
}

/// Runs the steps that are pending, in one transaction.
async fn run_steps(client: &Client) -> Result<(), OpenError> {
    match client.batch_execute(VERSION_TABLE).await {
        Ok(()) => {}
        // Another node made it at the same moment, which "if not exists" does not cover.
        Err(error)
            if matches!(
                error.code(),
                Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_TABLE | &SqlState::DUPLICATE_OBJECT)
            ) => {}
        Err(error) => return Err(error.into()),
    }
    client.batch_execute(FIRST_VERSION).await?;
    client.batch_execute(BEGIN).await?;
    let found: i64 = client.query_one(sql::LOCK_SCHEMA, &[]).await?.try_get(0)?;
    if migrations::after(found).next().is_none() {
        client.batch_execute("ROLLBACK").await?;
        return Ok(());
    }
    for next in migrations::after(found) {
        client.batch_execute(next.postgres).await?;
        match next.work {
            Some(Work::LoginNames) => fill_login_names(client).await?,
            Some(Work::UserRows) => upgrade::begin(client).await?,
            None => {}
        }
    }
    client.execute("UPDATE schema_version SET version = $1 WHERE id = 1", &[&migrations::newest()]).await?;
    client.batch_execute("COMMIT").await?;
    Ok(())
}

const USERS: &str = "SELECT id, username, email FROM \"user\" WHERE id > $1 ORDER BY id LIMIT $2";

/// Gives every user the names that they have already.
async fn fill_login_names(client: &Client) -> Result<(), OpenError> {
    let mut filling = Filling::default();
    let (mut last, mut read) = (i64::MIN, 0);
    let statement = client.prepare(USERS).await?;
    loop {
        let piece = client.query(&statement, &[&last, &i64::try_from(FILL_PIECE).unwrap_or(i64::MAX)]).await?;
        for user in &piece {
            last = user.try_get(0)?;
            filling.add(last, user.try_get(1)?, user.try_get(2)?);
        }
        login_names::log_progress(read, read + piece.len());
        read += piece.len();
        if piece.len() < FILL_PIECE {
            break;
        }
    }
    Ok(copy_in(client, ("login_name", "key, place, user_id, is_username, is_email"), filling.rows()).await?)
}
