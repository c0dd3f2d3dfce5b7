//! How large the database has become where callers make it grow (SEC 87): counted by the clean-up now and then, shown in
//! the metrics, and warned of.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use store::Sizes;

/// Above how much the log warns, once, and again at each doubling: rows of a table, entries, bytes. What is usual is far
/// below, since all of it is cleaned up but the audit trail and what was used of secrets.
const BOUNDS: [(&str, u64); 8] = [
    ("token", 100_000),
    ("lookup", 1_000_000),
    ("outbox", 100_000),
    ("budget", 1_000_000),
    ("webhook_delivery", 1_000_000),
    ("used_secret", 1_000_000),
    ("audit", 100_000_000),
    ("log_bytes", 256 << 20),
];

/// The sizes as they were counted last, and when; and when the clean-up was through last.
#[derive(Debug, Clone, Default)]
pub struct HousekeepingStatus {
    /// The sizes, once they were counted.
    pub sizes: Option<(Sizes, Timestamp)>,
    /// When what is over was cleaned up last.
    pub swept_at: Option<Timestamp>,
}

/// What is watched.
#[derive(Default)]
pub(crate) struct Housekeeping(Mutex<HousekeepingStatus>);

impl Housekeeping {
    pub(super) fn lock(&self) -> MutexGuard<'_, HousekeepingStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that the clean-up was through.
    pub(crate) fn swept(&self, now: Timestamp) {
        self.lock().swept_at = Some(now);
    }
}

/// How much of this there is.
fn of(sizes: &Sizes, what: &str) -> u64 {
    match what {
        "audit" => sizes.audit_entries,
        "log_bytes" => sizes.log_bytes,
        table => sizes.rows.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows),
    }
}

/// How often `size` has reached its bound: once, and once more at each doubling.
fn level(size: u64, bound: u64) -> u32 {
    (size / bound).checked_ilog2().map_or(0, |doublings| doublings + 1)
}

/// What has passed a bound, or doubled beyond it, since it was counted before: with its size and its bound.
pub(super) fn passed<'b>(before: &'b Sizes, after: &'b Sizes) -> impl Iterator<Item = (&'static str, u64, u64)> + 'b {
    BOUNDS.into_iter().filter_map(|(what, bound)| {
        let size = of(after, what);
        (level(size, bound) > level(of(before, what), bound)).then_some((what, size, bound))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(rows: u64) -> Sizes {
        Sizes { rows: vec![("token", rows)], ..Sizes::default() }
    }

    #[test]
    fn a_bound_is_warned_of_once_and_at_each_doubling() {
        let mut before = Sizes::default();
        let mut warned = Vec::new();
        for rows in [10, 99_999, 100_000, 100_001, 150_000, 199_999, 200_000, 350_000, 900_000, 5, 100_000] {
            let after = tokens(rows);
            warned.extend(passed(&before, &after).map(|(what, size, bound)| {
                assert_eq!((what, bound), ("token", 100_000));
                size
            }));
            before = after;
        }
        assert_eq!(warned, [100_000, 200_000, 900_000, 100_000]);
    }

    #[test]
    fn every_bound_is_of_something_that_is_counted() {
        let sizes = Sizes {
            rows: ["token", "lookup", "outbox", "budget", "webhook_delivery", "used_secret"]
                .map(|table| (table, u64::MAX))
                .to_vec(),
            audit_entries: u64::MAX,
            log_bytes: u64::MAX,
            ..Sizes::default()
        };
        assert_eq!(passed(&Sizes::default(), &sizes).count(), BOUNDS.len());
        for (what, bound) in BOUNDS {
            let counts_no_further = sizes.rows.iter().any(|(table, _)| *table == what);
            assert!(!counts_no_further || bound <= store::COUNTED, "{what} is never counted up to its bound");
        }
    }
}
