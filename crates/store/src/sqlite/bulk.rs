//! The SQLite side of [`crate::bulk`].

use super::exec::{all, first, one};
use super::{Sqlite, rows};
use crate::error::Error;
use crate::rows::Decode;
use crate::value::Value;

impl Sqlite {
    /// Runs a statement that changes something and answers with a number.
    pub(crate) async fn write_number(&self, statement: &'static str, params: Vec<Value>) -> Result<i64, Error> {
        self.write(move |tx| one(tx.conn, statement, &params, rows::number)).await
    }

    /// The rows of an answer.
    pub(crate) fn listed<T>(&self, statement: &str, params: &[Value], row: Decode<T>) -> Result<Vec<T>, Error> {
        self.readers.read(|conn| all(conn, statement, params, row))
    }

    /// Runs a statement that changes something. Gives the number of rows it changed.
    pub(crate) async fn change(&self, statement: &'static str, params: Vec<Value>) -> Result<u64, Error> {
        self.write(move |tx| tx.execute(statement, &params).map(|rows| rows as u64)).await
    }

    /// The number in the first row, if there is one.
    pub(crate) fn find_number(&self, statement: &str, params: &[Value]) -> Result<Option<i64>, Error> {
        self.readers.read(|conn| first(conn, statement, params, rows::number))
    }
}
