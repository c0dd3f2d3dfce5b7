//! The PostgreSQL end of [`crate::transfer`].

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::connect::Target;
use super::copy::copy_in;
use super::options::PostgresOptions;
use super::{demands, migrate};
use crate::error::OpenError;
use crate::schema::sql;
use crate::transfer::mark::{self, TransferMark, TransferMarks};
use crate::transfer::{PIECE, TABLES, Table, TransferError};
use crate::upgrade::Rewriting;
use crate::value::{Row as _, Value};
use crate::world::{Known, MARK, World};

/// Others of ours on this database. Some compatible databases report less about other sessions; what is missing counts as absent.
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND application_name = (SELECT current_setting('application_name'))";
/// How often it is looked whether others have gone.
const LOOKS: u32 = 10;
/// Audit entries are numbered on behind those that came.
const NUMBER_ENTRIES: &str = "INSERT INTO sequence (kind, next) SELECT 0, COALESCE(MAX(id), 0) + 1 FROM audit";

/// For as long as it takes; and the locks of a machine that is gone are given back within a minute.
const PATIENCE: &str =
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 10000";
const KEEPALIVE: &str = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 4";
/// How often it is tried to lock all tables.
const TRIES: u32 = 5;
/// What refuses every write to a closed database, from every connection, whatever it has read before.
const REFUSE: &str = "CREATE OR REPLACE FUNCTION countersign_closed() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN RAISE EXCEPTION 'this installation is not in use in this database' USING ERRCODE = 'CS001'; END $$";

/// A database whose tables are held: no other process writes to it or decides on it.
pub(crate) struct PostgresEnd {
    client: Client,
}

impl PostgresEnd {
    pub(crate) async fn source(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        let end = Self::open(url, options).await?;
        let looked = migrate::look(&end.client).await?;
        if !looked.is_sealed() {
            return Err(TransferError::Missing);
        }
        if !looked.pending.is_empty() {
            return Err(TransferError::Outdated);
        }
        // What is read is read as of the first statement after the locks.
        end.hold("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE").await?;
        Ok(end)
    }

    pub(crate) async fn target(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        let end = Self::open(url, options).await?;
        migrate::run(&end.client, &Rewriting::NONE).await?;
        end.hold("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
        Ok(end)
    }

    /// What other sessions say of themselves is a courtesy: it lets a running server be named at once. What is relied on
    /// are the locks.
    async fn open(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        let target = Target::new(url, options)?;
        let client = target.client().await.map_err(demands::explained)?;
        demands::before(&target, &client).await?;
        client.batch_execute(PATIENCE).await?;
        match client.batch_execute(KEEPALIVE).await {
            Err(error) if error.as_db_error().is_none() => return Err(error.into()),
            _ => {}
        }
        // A server that has just ended may still be listed for a moment.
        for _ in 0..LOOKS {
            let others: i64 = client.query_one(OTHERS, &[]).await?.try_get(0)?;
            if others == 0 {
                return Ok(Self { client });
            }
            client.batch_execute("SELECT pg_sleep(0.1)").await?;
        }
        Err(TransferError::Busy)
    }

    pub(crate) async fn known(&self) -> Result<Known, TransferError> {
        Ok(migrate::known(&self.client).await?.0)
    }

    pub(crate) async fn mark(&self, world: World) -> Result<(), TransferError> {
        self.client.execute(sql::SET_META_IF_ABSENT, &[&MARK, &world.name().as_bytes()]).await?;
        Ok(())
    }

    /// Opens the transaction and locks every table: transactions under way are waited for, and from then on there is
    /// none that decides or writes. What decisions lock first is locked first, so that none is met halfway.
    async fn hold(&self, begin: &str) -> Result<(), TransferError> {
        let mut tables: Vec<&Table> = TABLES.iter().collect();
        let turn =
            |table: &&Table| ["user", "client", "budget"].iter().position(|name| *name == table.name).unwrap_or(9);
        tables.sort_by_key(turn);
        let tables: Vec<String> = tables.into_iter().map(Table::quoted).collect();
        let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", tables.join(", "));
        for _ in 0..TRIES {
            self.client.batch_execute(begin).await?;
            let Err(error) = self.client.batch_execute(&lock).await else { return Ok(()) };
            self.client.batch_execute("ROLLBACK").await?;
            match error.code() {
                Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
                Some(&SqlState::LOCK_NOT_AVAILABLE) => return Err(TransferError::Busy),
                _ => return Err(error.into()),
            }
        }
        Err(TransferError::Busy)
    }

    pub(crate) async fn count(&self, table: &Table) -> Result<u64, TransferError> {
        Ok(self.client.query_one(&table.count(), &[]).await?.int(0)?.unsigned_abs())
    }

    pub(crate) async fn piece(&self, table: &Table, after: Option<&[Value]>) -> Result<Vec<Vec<Value>>, TransferError> {
        let statement = table.select(after.is_some(), " COLLATE \"C\"", PIECE);
        let params: Vec<_> = after.unwrap_or_default().iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self.client.query(&statement, &params).await?;
        rows.iter().map(|row| Ok(table.values(row)?)).collect()
    }

    pub(crate) async fn put(&self, table: &Table, rows: &[Vec<Value>]) -> Result<(), TransferError> {
        if rows.is_empty() {
            return Ok(());
        }
        copy_in(&self.client, (&table.quoted(), &table.column_list()), rows).await?;
        Ok(())
    }

    pub(crate) async fn marks(&self) -> Result<TransferMarks, TransferError> {
        Ok(migrate::marks(&self.client).await?)
    }

    pub(crate) async fn discard(&self) -> Result<(), TransferError> {
        self.unlock_tables().await?;
        for table in TABLES.iter().rev() {
            self.client.execute(&format!("DELETE FROM {}", table.quoted()), &[]).await?;
        }
        Ok(())
    }

    pub(crate) async fn arrive(&self, mark: &TransferMark) -> Result<(), TransferError> {
        self.client.execute(NUMBER_ENTRIES, &[]).await?;
        self.close(mark::ARRIVING, mark).await
    }

    pub(crate) async fn depart(self, mark: &TransferMark) -> Result<(), TransferError> {
        self.close(mark::DEPARTED, mark).await
    }

    /// Commits with a mark, and with every table closed to those that wait for it or come later.
    async fn close(&self, key: &str, mark: &TransferMark) -> Result<(), TransferError> {
        self.client.execute(sql::SET_META, &[&key, &mark.stored()]).await?;
        self.client.batch_execute(REFUSE).await?;
        for table in TABLES {
            let closed = format!(
                "CREATE TRIGGER countersign_closed BEFORE INSERT OR UPDATE OR DELETE ON {} \
                 FOR EACH STATEMENT EXECUTE FUNCTION countersign_closed()",
                table.quoted()
            );
            self.client.batch_execute(&closed).await?;
        }
        Ok(self.client.batch_execute("COMMIT").await.map_err(OpenError::from)?)
    }

    pub(crate) async fn open_up(self) -> Result<(), TransferError> {
        // Open already where an earlier move is finished, and then this is a warning.
        self.client.batch_execute("BEGIN").await?;
        self.unlock_tables().await?;
        self.client.execute(sql::DELETE_META, &[&mark::ARRIVING]).await?;
        Ok(self.client.batch_execute("COMMIT").await.map_err(OpenError::from)?)
    }

    async fn unlock_tables(&self) -> Result<(), TransferError> {
        for table in TABLES {
            let open = format!("DROP TRIGGER IF EXISTS countersign_closed ON {}", table.quoted());
            self.client.batch_execute(&open).await?;
        }
        Ok(self.client.batch_execute("DROP FUNCTION IF EXISTS countersign_closed()").await?)
    }
}
