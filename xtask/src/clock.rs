//! The chores' one home of time. They measure and wait for real, so they take it from the machine; they stand outside
//! the product, whose clock can be set.

use std::time::{Duration, Instant};

/// Now, on the clock that only goes forward.
#[expect(clippy::disallowed_methods, reason = "the one home of time in xtask")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "the one home of time in xtask")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The same for a task among others.
#[expect(clippy::disallowed_methods, reason = "the one home of time in xtask")]
pub(crate) async fn rest(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the one home of time in xtask")]
pub(crate) fn unix_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
