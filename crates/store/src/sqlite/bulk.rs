//! The SQLite side of [`crate::bulk`].

use super::exec::{all, first, one};
use super::{Sqlite, rows};
use crate::error::Error;
use crate::rows::Decode;
use crate::value::{Value, Write};

impl Sqlite {
    /// Runs a statement that changes something and answers with a number.
    pub(crate) async fn write_number(&self, statement: &'static str, params: Vec<Value>) -> Result<i64, Error> {
        self.write(move |tx| one(tx.conn, statement, &params, rows::number)).await
    }

    /// The rows of an answer.
    pub(crate) fn listed<T>(&self, statement: &'static str, params: &[Value], row: Decode<T>) -> Result<Vec<T>, Error> {
        self.readers.read(|conn| all(conn, statement, params, row))
    }

    /// Runs a statement that changes something. Gives the number of rows it changed.
    pub(crate) async fn change(&self, statement: &'static str, params: Vec<Value>) -> Result<u64, Error> {
        self.write(move |tx| tx.execute(statement, &params).map(|rows| rows as u64)).await
    }

    /// Runs `guard`, and `writes` with it only if it found its row. Says whether it did.
    pub(crate) async fn write_if(&self, guard: Write, writes: Vec<Write>) -> Result<bool, Error> {
        self.write(move |tx| {
            if tx.execute(guard.statement, &guard.params)? == 0 {
                return Ok(false);
            }
            writes.iter().try_for_each(|write| tx.write(write))?;
            Ok(true)
        })
        .await
    }

    /// The number in the first row, if there is one.
    pub(crate) fn find_number(&self, statement: &'static str, params: &[Value]) -> Result<Option<i64>, Error> {
        self.readers.read(|conn| first(conn, statement, params, rows::number))
    }
}
