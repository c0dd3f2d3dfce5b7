//! The only place of xtask that reads the time. Chores measure and wait in real time, not by the product's settable clock.

use std::time::{Duration, Instant};

/// Now, on the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the only place of xtask that reads the time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Blocks this thread.
#[expect(clippy::disallowed_methods, reason = "the only place of xtask that reads the time")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Seconds since 1970-01-01 UTC.
#[expect(clippy::disallowed_methods, reason = "the only place of xtask that reads the time")]
pub fn unix_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
