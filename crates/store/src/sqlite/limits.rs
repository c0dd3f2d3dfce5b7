//! How long callers wait, how many may wait, and what they hear otherwise.

use std::time::Duration;

use crate::error::Error;

/// Jobs that may wait for the writer, gathered ones included, before callers wait as well.
pub(super) const QUEUE: usize = 1024;
/// A commit that has so many jobs takes no further orders: more gains little and lets the first of them wait longer.
pub(super) const GROUP: usize = 256;
/// How long anybody waits for the disk (SEC 79, decision 37).
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// How long the server's own long readings may take: the audit trail of somebody with much of it, for example.
pub(super) const OWN_TIME: Duration = Duration::from_secs(60);

pub(super) const CLOSED: Error = Error::Unavailable("closed");
pub(super) const LATE: Error = Error::Unavailable("the disk does not answer");
