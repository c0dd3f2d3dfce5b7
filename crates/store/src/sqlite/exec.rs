//! Runs statements on a connection and sorts what can go wrong by how far it reaches.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::ffi::{self, ErrorCode};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql, params_from_iter};

use crate::error::{Error, TOO_LONG, UniqueField};
use crate::rows::Decode;
use crate::value::{Row, Value};

/// What went wrong, and for whom.
#[derive(Debug)]
pub(super) enum Failure {
    /// For this job only: the others of its group are not touched (SEC 77).
    Job(Error),
    /// For the transaction. The next one may succeed: the disk was full, or somebody held a lock.
    Group(&'static str),
    /// For the transaction, or for good: the system refused a write, and only the folder can tell whether that was for want
    /// of room ([`Alarm::judged`](super::alarm::Alarm::judged)).
    Unwritten(String),
    /// For good: nothing can be trusted to have been written (SEC 78).
    Fatal(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Job(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let (code, message) = match &error {
            rusqlite::Error::SqliteFailure(code, message) => (*code, message.as_deref().unwrap_or_default()),
            rusqlite::Error::SqlInputError { error: code, msg, .. } => (*code, msg.as_str()),
            _ => return Self::Job(Error::Corrupt("a row has another shape than expected")),
        };
        match code.code {
            ErrorCode::ConstraintViolation => Self::Job(conflict(message)),
            ErrorCode::DiskFull => Self::Group(DISK_FULL),
            // The shared memory file of the log could not grow, which happens on a full tmpfs; nothing was lost.
            ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Group(DISK_FULL),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Group("the database is locked"),
            ErrorCode::OutOfMemory => Self::Group("out of memory"),
            ErrorCode::CannotOpen => Self::Group("a file cannot be opened"),
            ErrorCode::OperationInterrupted | ErrorCode::OperationAborted => Self::Group(TOO_LONG),
            ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_WRITE => {
                Self::Unwritten(format!("a write failed (SQLite code {})", code.extended_code))
            }
            ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NoLargeFileSupport
            | ErrorCode::InternalMalfunction => {
                Self::Fatal(format!("{} (SQLite code {})", ffi::code_to_str(code.extended_code), code.extended_code))
            }
            // A statement of ours is wrong. SQLite's words name tables and columns, never values.
            _ => {
                tracing::error!(code = code.extended_code, message, "a statement failed");
                Self::Job(Error::Corrupt("a statement failed"))
            }
        }
    }
}

pub(super) const DISK_FULL: &str = "the disk is full";

/// Which unique field a constraint's message names.
fn conflict(message: &str) -> Error {
    let field = match message.strip_prefix("UNIQUE constraint failed: ") {
        Some("client.client_id") => UniqueField::ClientId,
        Some("app.name") => UniqueField::AppName,
        Some("verification.user_id, verification.wire_id") => UniqueField::WireId,
        Some(_) => UniqueField::Id,
        None => return Error::Corrupt("a constraint does not hold"),
    };
    Error::Conflict(field)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

const SHAPE: Error = Error::Corrupt("a column has another type than expected");

impl Row for rusqlite::Row<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        self.get_ref(column).map_err(|_| SHAPE)?.as_i64_or_null().map_err(|_| SHAPE)
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, Error> {
        self.get_ref(column).map_err(|_| SHAPE)?.as_str_or_null().map_err(|_| SHAPE)
    }

    fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        self.get_ref(column).map_err(|_| SHAPE)?.as_blob_or_null().map_err(|_| SHAPE)
    }
}

/// Where prepared statements are kept. Only constants are: of texts that are put together there is no end, and each
/// would be kept ([`all_of`]).
pub(super) trait Prepared {
    /// Lends the prepared form of a statement.
    fn lend<T>(
        &self,
        statement: &'static str,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure>;
}

impl Prepared for Connection {
    fn lend<T>(
        &self,
        statement: &'static str,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        work(&mut *self.prepare_cached(statement)?)
    }
}

/// The writer's connection with its statements, which are found by the address of their text, without reading it: the
/// writer runs a dozen for each decision, and all of them are constants.
pub(super) struct Session<'c> {
    pub(super) conn: &'c Connection,
    kept: RefCell<HashMap<(usize, usize), Statement<'c>, BuildHasherDefault<Address>>>,
}

impl<'c> Session<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { conn, kept: RefCell::default() }
    }
}

impl Prepared for Session<'_> {
    fn lend<T>(
        &self,
        statement: &'static str,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut kept = self.kept.borrow_mut();
        match kept.entry((statement.as_ptr().addr(), statement.len())) {
            Entry::Occupied(mut known) => work(known.get_mut()),
            Entry::Vacant(new) => work(new.insert(self.conn.prepare(statement)?)),
        }
    }
}

/// Mixes an address as it is: no two constants share one.
#[derive(Default)]
struct Address(u64);

impl Hasher for Address {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_usize(&mut self, part: usize) {
        self.0 = (self.0 ^ part as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// Runs a statement without rows. Gives the number of rows it changed.
pub(super) fn execute(conn: &impl Prepared, statement: &'static str, params: &[Value]) -> Result<usize, Failure> {
    conn.lend(statement, |prepared| Ok(prepared.execute(params_from_iter(params))?))
}

/// All rows of an answer.
pub(super) fn all<T>(
    conn: &impl Prepared,
    statement: &'static str,
    params: &[Value],
    decode: Decode<T>,
) -> Result<Vec<T>, Failure> {
    conn.lend(statement, |prepared| rows_of(prepared, params, decode))
}

/// All rows of the answer to a statement that was put together for the occasion. It is forgotten again.
pub(super) fn all_of<T>(
    conn: &Connection,
    statement: &str,
    params: &[Value],
    decode: Decode<T>,
) -> Result<Vec<T>, Failure> {
    rows_of(&mut conn.prepare(statement)?, params, decode)
}

fn rows_of<T>(prepared: &mut Statement<'_>, params: &[Value], decode: Decode<T>) -> Result<Vec<T>, Failure> {
    let mut rows = prepared.query(params_from_iter(params))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(decode(row)?);
    }
    Ok(found)
}

/// The first row of an answer, if there is one.
pub(super) fn first<T>(
    conn: &impl Prepared,
    statement: &'static str,
    params: &[Value],
    decode: Decode<T>,
) -> Result<Option<T>, Failure> {
    conn.lend(statement, |prepared| {
        let mut rows = prepared.query(params_from_iter(params))?;
        Ok(match rows.next()? {
            Some(row) => Some(decode(row)?),
            None => None,
        })
    })
}

/// The only row of an answer that always has one.
pub(super) fn one<T>(
    conn: &impl Prepared,
    statement: &'static str,
    params: &[Value],
    decode: Decode<T>,
) -> Result<T, Failure> {
    conn.lend(statement, |prepared| one_row(prepared, params, decode))
}

/// The same of a statement that was put together for the occasion.
pub(super) fn one_of<T>(conn: &Connection, statement: &str, params: &[Value], decode: Decode<T>) -> Result<T, Failure> {
    one_row(&mut conn.prepare(statement)?, params, decode)
}

fn one_row<T>(prepared: &mut Statement<'_>, params: &[Value], decode: Decode<T>) -> Result<T, Failure> {
    let mut rows = prepared.query(params_from_iter(params))?;
    let row = rows.next()?.ok_or(Error::Corrupt("an answer without a row"))?;
    let value = decode(row)?;
    // A statement that changes something does so in full only when it is run to its end.
    while rows.next()?.is_some() {}
    Ok(value)
}
