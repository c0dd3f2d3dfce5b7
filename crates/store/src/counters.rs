//! What a store counts about its transactions, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::query::Stats;

/// What writers count.
#[derive(Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    jobs: AtomicU64,
    largest_group: AtomicU64,
    rerun_groups: AtomicU64,
    groups: [AtomicU64; 9],
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
        }
    }

    /// A group of this many jobs was committed.
    pub(crate) fn group(&self, jobs: usize) {
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
