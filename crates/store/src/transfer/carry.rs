//! Carries the rows, reads them back, and then closes the source and opens the target.

use std::path::Path;

use domain::Digest;

use super::error::TransferError;
use super::mark::{self, Left, TransferMark, TransferMarks};
use super::tables::{PIECE, TABLES, Table};
use crate::postgres::PostgresOptions;
use crate::postgres::transfer::PostgresEnd;
use crate::sqlite::transfer::SqliteEnd;
use crate::value::Value;
use crate::world::{Known, World};

/// A database held for the transfer: no other process works on it.
pub struct End(Side);

enum Side {
    Sqlite(SqliteEnd),
    Postgres(PostgresEnd),
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Side::Sqlite(_) => "End(SQLite)",
            Side::Postgres(_) => "End(PostgreSQL)",
        })
    }
}

/// Between which databases an installation is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRoute {
    /// A random number of this move's own.
    pub id: [u8; 16],
    /// How the source is named. Kept in the target until the move is finished, so without a password.
    pub from: String,
    /// How the target is named. Kept in the source, whose error names it, so without a password.
    pub to: String,
}

/// What a table was found to hold on both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    pub table: &'static str,
    pub rows: u64,
    /// SHA-256 over its rows in the order of their keys, each bound to all before it.
    pub digest: Digest,
}

impl End {
    /// Holds the SQLite database in `dir` as a source.
    pub fn sqlite_source(dir: &Path) -> Result<Self, TransferError> {
        Ok(Self(Side::Sqlite(SqliteEnd::source(dir)?)))
    }

    /// Holds the SQLite database in `dir` as a target, making it if need be.
    pub fn sqlite_target(dir: &Path) -> Result<Self, TransferError> {
        Ok(Self(Side::Sqlite(SqliteEnd::target(dir)?)))
    }

    /// Holds a PostgreSQL database as a source.
    pub async fn postgres_source(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        Ok(Self(Side::Postgres(PostgresEnd::source(url, options).await?)))
    }

    /// Holds a PostgreSQL database as a target, making its tables if need be.
    pub async fn postgres_target(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        Ok(Self(Side::Postgres(PostgresEnd::target(url, options).await?)))
    }

    /// How many rows there are to carry.
    pub async fn rows(&self) -> Result<u64, TransferError> {
        let mut all = 0;
        for table in TABLES {
            all += self.count(table).await?;
        }
        Ok(all)
    }

    /// What is known of its world.
    async fn known(&self) -> Result<Known, TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.known(),
            Side::Postgres(end) => end.known().await,
        }
    }

    async fn mark(&self, world: World) -> Result<(), TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.mark(world),
            Side::Postgres(end) => end.mark(world).await,
        }
    }

    async fn count(&self, table: &Table) -> Result<u64, TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.count(table),
            Side::Postgres(end) => end.count(table).await,
        }
    }

    /// The next rows of a table behind a key.
    async fn piece(&self, table: &Table, after: Option<&[Value]>) -> Result<Vec<Vec<Value>>, TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.piece(table, after),
            Side::Postgres(end) => end.piece(table, after).await,
        }
    }

    async fn put(&self, table: &Table, rows: &[Vec<Value>]) -> Result<(), TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.put(table, rows),
            Side::Postgres(end) => end.put(table, rows).await,
        }
    }

    async fn marks(&self) -> Result<TransferMarks, TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.marks(),
            Side::Postgres(end) => end.marks().await,
        }
    }

    /// Throws away what an earlier try left in a target.
    async fn discard(&self) -> Result<(), TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.discard(),
            Side::Postgres(end) => end.discard().await,
        }
    }

    /// Commits what was put in, marked as not yet to be used.
    pub(super) async fn arrive(&self, mark: &TransferMark) -> Result<(), TransferError> {
        match &self.0 {
            Side::Sqlite(end) => end.arrive(mark),
            Side::Postgres(end) => end.arrive(mark).await,
        }
    }

    /// Closes the source for good, and lets go of it.
    pub(super) async fn depart(self, mark: &TransferMark) -> Result<(), TransferError> {
        match self.0 {
            Side::Sqlite(end) => end.depart(mark),
            Side::Postgres(end) => end.depart(mark).await,
        }
    }

    /// Opens the target, and lets go of it.
    async fn open_up(self) -> Result<(), TransferError> {
        match self.0 {
            Side::Sqlite(end) => end.open_up(),
            Side::Postgres(end) => end.open_up().await,
        }
    }
}

/// Carries everything, closes the source and opens the target. `progress` hears how many rows were written or read back.
pub async fn carry(
    from: End,
    to: End,
    route: &TransferRoute,
    mut progress: impl FnMut(u64),
) -> Result<Vec<Carried>, TransferError> {
    let unfinished = |error| TransferError::Unfinished(Box::new(error));
    let carried = match mark::left(from.marks().await?, to.marks().await?, &route.from)? {
        Left::Opening => {
            let mut carried = Vec::with_capacity(TABLES.len());
            for table in TABLES {
                carried.push(summed(&to, table, &mut progress).await.map_err(unfinished)?);
            }
            carried
        }
        Left::Everything { discard } => {
            if discard {
                to.discard().await?;
            }
            let carried = carry_rows(&from, &to, &mut progress).await?;
            to.arrive(&TransferMark { id: route.id, place: route.from.clone() }).await?;
            from.depart(&TransferMark { id: route.id, place: route.to.clone() }).await.map_err(unfinished)?;
            carried
        }
    };
    to.open_up().await.map_err(unfinished)?;
    Ok(carried)
}

pub(super) async fn carry_rows(
    from: &End,
    to: &End,
    progress: &mut impl FnMut(u64),
) -> Result<Vec<Carried>, TransferError> {
    for table in TABLES {
        if to.count(table).await? > 0 {
            return Err(TransferError::NotEmpty(table.name));
        }
    }
    let mut done = 0;
    let mut carried = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut sum = Sum::new(table);
        while let Some(rows) = sum.next(from).await? {
            to.put(table, &rows).await?;
            progress(done + sum.carried.rows);
        }
        done += sum.carried.rows;
        carried.push(sum.carried);
    }
    for (table, expected) in TABLES.iter().zip(&carried) {
        let before = done;
        let found = summed(to, table, &mut |rows| progress(before + rows)).await?;
        done += found.rows;
        if found != *expected || to.count(table).await? != expected.rows {
            return Err(TransferError::Differs(table.name));
        }
    }
    // What shows a dev world may stay behind; what it is must not.
    if let Known::Unmarked(world) = from.known().await? {
        to.mark(world).await?;
    }
    Ok(carried)
}

async fn summed(end: &End, table: &Table, progress: &mut impl FnMut(u64)) -> Result<Carried, TransferError> {
    let mut sum = Sum::new(table);
    while sum.next(end).await?.is_some() {
        progress(sum.carried.rows);
    }
    Ok(sum.carried)
}

/// Reads a table in pieces and sums up what it holds.
struct Sum<'a> {
    table: &'a Table,
    last: Option<Vec<Value>>,
    ended: bool,
    carried: Carried,
}

impl<'a> Sum<'a> {
    fn new(table: &'a Table) -> Self {
        let carried = Carried { table: table.name, rows: 0, digest: Digest::of(table.name.as_bytes()) };
        Self { table, last: None, ended: false, carried }
    }

    async fn next(&mut self, end: &End) -> Result<Option<Vec<Vec<Value>>>, TransferError> {
        if self.ended {
            return Ok(None);
        }
        let rows = end.piece(self.table, self.last.as_deref()).await?;
        self.ended = rows.len() < PIECE;
        self.last = rows.last().map(|row| row[..self.table.key].to_vec());
        for row in &rows {
            self.carried.rows += 1;
            self.carried.digest = bound(&self.carried.digest, row);
        }
        Ok(Some(rows))
    }
}

/// The digest of a row bound to all rows before it. Each value has its kind and its length in front.
fn bound(before: &Digest, row: &[Value]) -> Digest {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&before.0);
    for value in row {
        let number;
        let (kind, content): (u8, &[u8]) = match value {
            Value::Null => (0, &[]),
            Value::Int(int) => {
                number = int.to_be_bytes();
                (1, &number)
            }
            Value::Text(text) => (2, text.as_bytes()),
            Value::Blob(blob) => (3, blob),
        };
        bytes.push(kind);
        bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
        bytes.extend_from_slice(content);
    }
    Digest::of(&bytes)
}
