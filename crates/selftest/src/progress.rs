//! The progress of a long scenario: a bar on a terminal, a line now and then in a log.

use domain::Timestamp;
use domain::model::time::SECOND;
use engine::Clock as _;
use engine::clock::SystemClock;

use super::output::{Output, ProgressBar};

/// Time between two lines, in milliseconds.
const EVERY: i64 = 10 * SECOND;

/// The progress of a scenario.
pub(super) struct Progress<'o> {
    output: &'o dyn Output,
    /// Without a bar, lines are printed.
    bar: Option<Box<dyn ProgressBar>>,
    total: u64,
    done: u64,
    began: Timestamp,
    logged_at: Timestamp,
}

impl<'o> Progress<'o> {
    /// Starts a scenario of `total` rounds.
    pub(super) fn new(output: &'o dyn Output, name: &'static str, total: u64) -> Self {
        let now = SystemClock.now();
        Self { output, bar: output.progress(name, total), total, done: 0, began: now, logged_at: now }
    }

    /// Counts a round. `violations` is the number so far.
    pub(super) fn step(&mut self, violations: u64) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.reach(self.done);
        }
        let now = SystemClock.now();
        if self.bar.is_some() || now.since(self.logged_at) < EVERY {
            return;
        }
        self.logged_at = now;
        let seconds = now.since(self.began) / SECOND;
        self.output
            .remark(&format!("{} of {} rounds after {seconds} s, {violations} violations", self.done, self.total));
    }
}
