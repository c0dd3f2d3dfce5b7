//! API calls, numbered within their hour over all nodes.

use domain::Timestamp;

use crate::{Engine, Error};

impl Engine {
    /// Takes the next `count` numbers of the calls in the hour of `now`; gives the number after them.
    pub async fn take_calls(&self, now: Timestamp, count: u64) -> Result<u64, Error> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Ok(self.store.take_calls(now, count).await?.unsigned_abs())
    }

    /// How many calls of the hour of `now` were taken so far, used or not.
    pub async fn calls_taken(&self, now: Timestamp) -> Result<u64, Error> {
        Ok(self.store.next_call(now).await?.unsigned_abs().saturating_sub(1))
    }
}
