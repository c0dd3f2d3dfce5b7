//! The hourly quota of v1 calls per account (contract 1.8). In memory: it protects the machine, not a secret.

use std::sync::Mutex;

use domain::Timestamp;
use domain::time::HOUR;

/// Calls in the present hour.
#[derive(Debug)]
pub struct Quota {
    limit: u64,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    hour: i64,
    calls: u64,
}

/// How the quota stands, as the headers and `rate_limit` tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Calls an hour.
    pub limit: u64,
    /// Calls left in this hour.
    pub remaining: u64,
    /// Seconds to the end of the hour.
    pub reset: i64,
    /// Whether this call was one too many.
    pub exceeded: bool,
}

/// What the answers say when nothing is enforced: the documented default.
const SHOWN_WHEN_OFF: u64 = 5_000;

impl Quota {
    /// A quota of so many calls an hour; 0 enforces nothing, and the answers still tell a standing (rulings 35).
    pub fn new(limit: u64) -> Self {
        Self { limit, used: Mutex::default() }
    }

    /// Counts one call.
    pub fn count(&self, now: Timestamp) -> Standing {
        self.standing(now, 1)
    }

    /// How the quota stands, without counting.
    pub fn read(&self, now: Timestamp) -> Standing {
        self.standing(now, 0)
    }

    fn standing(&self, now: Timestamp, calls: u64) -> Standing {
        let hour = now.0.div_euclid(HOUR);
        let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if used.hour != hour {
            *used = Used { hour, calls: 0 };
        }
        used.calls = used.calls.saturating_add(calls);
        let limit = if self.limit == 0 { SHOWN_WHEN_OFF } else { self.limit };
        Standing {
            limit,
            remaining: limit.saturating_sub(used.calls),
            reset: Timestamp((hour + 1) * HOUR).retry_after(now),
            // Who only asks how it stands is told so.
            exceeded: calls > 0 && self.limit != 0 && used.calls > self.limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_counts_by_the_hour() {
        let quota = Quota::new(2);
        let start = Timestamp(10 * HOUR);
        assert_eq!(quota.count(start), Standing { limit: 2, remaining: 1, reset: 3600, exceeded: false });
        assert!(!quota.count(start.plus(1)).exceeded);
        assert!(quota.count(start.plus(2)).exceeded);
        assert_eq!(quota.read(start.plus(2)), Standing { limit: 2, remaining: 0, reset: 3600, exceeded: false });
        assert!(!quota.count(start.plus(HOUR)).exceeded);
    }

    #[test]
    fn a_quota_that_is_off_still_tells_a_standing() {
        let quota = Quota::new(0);
        for _ in 0..10_000 {
            assert!(!quota.count(Timestamp(1)).exceeded);
        }
        assert_eq!(quota.read(Timestamp(1)).limit, 5_000);
    }
}
