//! What keeps a database in order.

use domain::Timestamp;

use super::handle::{Store, forward};
use crate::error::Error;
use crate::query::{IdKind, Sizes, Swept};

impl Store {
    /// An id that was never given out before, by this or any other process. Gaps are normal.
    pub async fn next_id(&self, kind: IdKind) -> Result<i64, Error> {
        forward!(self.next_id(kind))
    }

    /// Cleans up a bounded number of rows whose time is over (SEC 87). No decision relies on it.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, Error> {
        forward!(self.sweep(now))
    }

    /// How large the database has become. Reads much: not for where a caller waits.
    pub async fn sizes(&self) -> Result<Sizes, Error> {
        forward!(self.sizes())
    }
}
