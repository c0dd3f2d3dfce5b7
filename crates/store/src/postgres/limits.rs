//! How long callers wait, how many may wait, and what they hear otherwise.

use std::time::Duration;

use tokio::time::timeout;

use super::failure::Failure;
use crate::error::Error;

/// How long anybody waits for the database: for a connection, for locks, for statements and all retries together
/// (SEC 79, decision 37).
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// Jobs that may wait for a lane, or for the readers, before senders wait as well.
pub(super) const QUEUE: usize = 1024;

pub(super) const CLOSED: Error = Error::Unavailable("closed");
pub(super) const LATE: Error = Error::Unavailable("the database does not answer");

/// The answer, or [`LATE`].
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Error> {
    timeout(DEADLINE, work).await.map_or(Err(LATE), |answer| answer.map_err(Into::into))
}
