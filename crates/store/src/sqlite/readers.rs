//! Connections that only read. Each sees the database as of one moment, beside the writer and never in its way.
//!
//! Reads are short and run where they are asked for: a look-up by key costs less than handing it to another thread.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::alarm::Alarm;
use super::exec::Failure;
use super::open;
use crate::error::Error;

/// Connections kept while idle.
const IDLE: usize = 8;

/// Lends a connection to one reader at a time. As many exist at once as threads read.
pub(super) struct Readers {
    database: PathBuf,
    idle: Mutex<Vec<Connection>>,
    closed: AtomicBool,
    alarm: Alarm,
}

impl Readers {
    pub(super) fn new(database: PathBuf, alarm: Alarm) -> Self {
        Self { database, idle: Mutex::default(), closed: AtomicBool::new(false), alarm }
    }

    /// Reads with one statement.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        self.lend(read).map_err(|failure| judged(failure, &self.alarm))
    }

    /// Reads with several statements that must agree with each other.
    pub(super) fn snapshot<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        self.read(|conn| in_snapshot(conn, read))
    }

    /// Whether writing works, as far as the last group has shown, and the present one within `time`.
    pub(super) fn may_write(&self, time: Duration) -> bool {
        !self.alarm.is_hindered() && !self.alarm.is_stuck(time)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn lend<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.closed.load(Ordering::Acquire) || self.alarm.is_raised() {
            return Err(Failure::Group("closed"));
        }
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match waiting {
            Some(conn) => conn,
            None => open::reader(&self.database)?,
        };
        // A connection whose reading failed may be in the middle of something, and is closed.
        let answer = read(&conn)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE && !self.closed.load(Ordering::Acquire) {
            idle.push(conn);
        }
        Ok(answer)
    }
}

/// Reads with several statements that must agree with each other.
pub(super) fn in_snapshot<T>(
    conn: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let answer = read(conn)?;
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(answer)
}

/// The error of a failed reading.
pub(super) fn judged(failure: Failure, alarm: &Alarm) -> Error {
    match failure {
        Failure::Job(error) => error,
        Failure::Group(reason) => Error::Unavailable(reason),
        Failure::Fatal(reason) | Failure::Unwritten(reason) => {
            alarm.raise(&format!("reading failed: {reason}"));
            Error::Unavailable("the database is broken")
        }
    }
}
