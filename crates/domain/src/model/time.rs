//! The one unit of time: milliseconds since the Unix epoch, UTC. Both databases hold these integers as they are.

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// One second in the unit of [`Timestamp`].
pub const SECOND: i64 = 1_000;
/// One minute in the unit of [`Timestamp`].
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in the unit of [`Timestamp`].
pub const HOUR: i64 = 60 * MINUTE;
/// One day in the unit of [`Timestamp`].
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    /// The moment `milliseconds` later (earlier when negative); saturates instead of wrapping.
    pub fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is later.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether this moment is less than `milliseconds` away from `other`, in either direction. What a limit remembers may
    /// lie ahead: nodes' clocks differ, and a clock may be set back. What is near counts all the same; what is far ahead
    /// must not count until its time comes, which may be in years.
    pub fn is_within(self, milliseconds: i64, other: Self) -> bool {
        (1 - milliseconds..milliseconds).contains(&self.since(other))
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Seconds from `now` until this moment, rounded up, at least 1: what `Retry-After` wants.
    pub fn retry_after(self, now: Self) -> i64 {
        self.since(now).saturating_add(SECOND - 1).div_euclid(SECOND).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_never_told_to_come_back_too_early() {
        let at = Timestamp(10_000);
        for (now, seconds) in [(0, 10), (1, 10), (999, 10), (1_000, 9), (9_999, 1), (10_000, 1), (20_000, 1)] {
            assert_eq!(at.retry_after(Timestamp(now)), seconds, "{now}");
        }
        assert!(Timestamp(i64::MAX).retry_after(Timestamp(-1)) > 0, "a lock without an end in sight");
    }
}
