//! What a store counts about its transactions, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::query::{COMMIT_BOUNDS, Stats};

/// What writers count.
#[derive(Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    jobs: AtomicU64,
    largest_group: AtomicU64,
    rerun_groups: AtomicU64,
    groups: [AtomicU64; 9],
    took: [AtomicU64; COMMIT_BOUNDS.len() + 1],
    took_micros: AtomicU64,
}

/// When a group began, to tell how long it took. Measured and shown; nothing is judged by it.
#[expect(clippy::disallowed_methods, reason = "a duration for people to read, on which no decision rests")]
pub(crate) fn began() -> Instant {
    Instant::now()
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: get(&self.commits),
            jobs: get(&self.jobs),
            largest_group: get(&self.largest_group),
            groups: std::array::from_fn(|n| get(&self.groups[n])),
            rerun_groups: get(&self.rerun_groups),
            took: std::array::from_fn(|n| get(&self.took[n])),
            took_micros: get(&self.took_micros),
        }
    }

    /// A group of this many jobs was committed, from its first statement to its sync.
    pub(crate) fn group(&self, jobs: usize, began: Instant) {
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let bound = COMMIT_BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(COMMIT_BOUNDS.len());
        self.took[bound].fetch_add(1, Ordering::Relaxed);
        self.took_micros.fetch_add(micros, Ordering::Relaxed);
        let size = jobs as u64;
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.jobs.fetch_add(size, Ordering::Relaxed);
        self.largest_group.fetch_max(size, Ordering::Relaxed);
        let bucket = jobs.next_power_of_two().trailing_zeros() as usize;
        self.groups[bucket.min(self.groups.len() - 1)].fetch_add(1, Ordering::Relaxed);
    }

    /// A group was run once more because one of its jobs failed.
    pub(crate) fn rerun(&self) {
        self.rerun_groups.fetch_add(1, Ordering::Relaxed);
    }
}
