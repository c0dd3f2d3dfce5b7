//! The SQLite side of [`crate::bulk`].

use domain::{SecretMac, UserId};

use super::database::Sqlite;
use super::exec::{all, first, one};
use crate::error::Error;
use crate::rows::{self, Decode};
use crate::schema::sql;
use crate::value::{Value, Write};

#[expect(clippy::unused_async, reason = "the same methods as those of PostgreSQL, which wait for an answer")]
impl Sqlite {
    /// Runs a statement that changes something and answers with a number.
    pub(crate) async fn write_number(&self, statement: &'static str, params: Vec<Value>) -> Result<i64, Error> {
        self.write(move |tx| one(tx.conn, statement, &params, rows::number)).await
    }

    /// The rows of an answer.
    pub(crate) async fn listed<T>(
        &self,
        statement: &'static str,
        params: Vec<Value>,
        row: Decode<T>,
    ) -> Result<Vec<T>, Error> {
        self.readers.read(|conn| all(conn, statement, &params, row))
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

    pub(crate) async fn secret_holders(&self, secrets: &[SecretMac]) -> Result<Vec<(SecretMac, UserId)>, Error> {
        self.readers.snapshot(|conn| {
            let mut holders = Vec::with_capacity(secrets.len());
            for secret in secrets {
                holders.extend(all(conn, sql::SECRET_HOLDERS, &[(*secret).into()], rows::secret_holder)?);
            }
            Ok(holders)
        })
    }

    /// The number in the first row, if there is one.
    pub(crate) async fn find_number(&self, statement: &'static str, params: Vec<Value>) -> Result<Option<i64>, Error> {
        self.readers.read(|conn| first(conn, statement, &params, rows::number))
    }
}
