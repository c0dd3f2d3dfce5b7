//! The handle on a database, whichever it is, and how a call reaches it.

use std::path::Path;
use std::sync::Arc;

use domain::UserId;
use tokio::sync::{Notify, broadcast};

use crate::error::{Error, OpenError};
use crate::postgres::{Postgres, PostgresOptions};
use crate::query::Stats;
use crate::rows::Decode;
use crate::sqlite::{Sqlite, SqliteOptions};
use crate::value::{Value, Write};

/// Users about whom notices are kept for slow subscribers.
const ANSWERED: usize = 1_024;

/// A database, whichever it is. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(super) backend: Backend,
    wake_ups: Arc<Notify>,
    answered: broadcast::Sender<UserId>,
}

#[derive(Clone)]
pub(super) enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

/// Calls a method that both databases have. What waits for PostgreSQL is boxed: its futures are large.
macro_rules! forward {
    ($store:ident.$method:ident($($value:expr),*)) => {
        match &$store.backend {
            $crate::store::handle::Backend::Sqlite(db) => db.$method($($value),*).await,
            $crate::store::handle::Backend::Postgres(db) => Box::pin(db.$method($($value),*)).await,
        }
    };
}
pub(super) use forward;

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.backend {
            Backend::Sqlite(_) => f.write_str("Store(SQLite)"),
            Backend::Postgres(_) => f.write_str("Store(PostgreSQL)"),
        }
    }
}

impl Store {
    /// Opens the SQLite database in the folder `dir`, creating both if need be, and brings its schema up to date. The
    /// files are readable by their owner only, and a lock file keeps every other process out (SEC 76).
    pub fn open_sqlite(dir: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let db = Sqlite::open(dir, options)?;
        Ok(Self {
            backend: Backend::Sqlite(Arc::new(db)),
            wake_ups: Arc::default(),
            answered: broadcast::Sender::new(1),
        })
    }

    /// Opens a PostgreSQL database and brings its schema up to date. The URL may name several hosts; only one that
    /// takes writes is used. A server that could forget what it has confirmed is refused (SEC 76). Connections that
    /// are lost are made anew, to whichever host is the primary then.
    pub async fn open_postgres(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let wake_ups = Arc::<Notify>::default();
        let answered = broadcast::Sender::new(ANSWERED);
        let db = Postgres::open(url, &options, wake_ups.clone(), answered.clone()).await?;
        Ok(Self { backend: Backend::Postgres(Arc::new(db)), wake_ups, answered })
    }

    /// Fires when another node may have queued messages. A hint and no more: it can be lost, so a subscriber
    /// looks by itself from time to time. With SQLite there is no other node, and it never fires.
    pub fn wake_ups(&self) -> Arc<Notify> {
        self.wake_ups.clone()
    }

    /// The users whom a person's answer, given on another node, was about. A hint and no more, as [`Self::wake_ups`] is.
    pub fn answered(&self) -> broadcast::Receiver<UserId> {
        self.answered.subscribe()
    }

    /// Whether other nodes may use the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// Whether decisions can be made and queries answered (SEC 83).
    pub async fn ready(&self) -> bool {
        forward!(self.ready())
    }

    /// What the writer has done.
    pub fn stats(&self) -> Stats {
        match &self.backend {
            Backend::Sqlite(db) => db.stats(),
            Backend::Postgres(db) => db.stats(),
        }
    }

    /// Finishes what waits, checkpoints the log and lets go of it. Clones answer
    /// [`Error::Unavailable`] from then on.
    pub async fn close(self) {
        forward!(self.close());
    }

    /// The SQLite database, if it is one.
    #[cfg(test)]
    pub(crate) fn sqlite(&self) -> Option<&Sqlite> {
        match &self.backend {
            Backend::Sqlite(db) => Some(db),
            Backend::Postgres(_) => None,
        }
    }

    // ---- what methods about one subject need of either database

    /// The rows of an answer.
    pub(crate) async fn listed<T: Send + 'static>(
        &self,
        statement: &'static str,
        params: Vec<Value>,
        row: Decode<T>,
    ) -> Result<Vec<T>, Error> {
        forward!(self.listed(statement, params, row))
    }

    /// The number in the first row, if there is one.
    pub(super) async fn find_number(&self, statement: &'static str, params: Vec<Value>) -> Result<Option<i64>, Error> {
        forward!(self.find_number(statement, params))
    }

    /// Runs a statement that changes something and answers with a number.
    pub(super) async fn write_number(&self, statement: &'static str, params: Vec<Value>) -> Result<i64, Error> {
        forward!(self.write_number(statement, params))
    }

    /// Runs a statement that changes something. Gives the number of rows it changed.
    pub(crate) async fn change(&self, statement: &'static str, params: Vec<Value>) -> Result<u64, Error> {
        forward!(self.change(statement, params))
    }

    /// Runs `guard`, and `writes` in the same transaction only if it found its row. Says whether it did.
    pub(super) async fn write_if(&self, guard: Write, writes: Vec<Write>) -> Result<bool, Error> {
        forward!(self.write_if(guard, writes))
    }
}
