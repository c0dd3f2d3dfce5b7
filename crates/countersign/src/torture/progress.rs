//! The progress of a long scenario: a bar on a terminal, a line now and then in a log.

use std::io::IsTerminal as _;

use domain::Timestamp;
use domain::model::time::SECOND;
use engine::Clock as _;
use engine::clock::SystemClock;

use crate::terminal;

/// Time between two lines, in milliseconds.
const EVERY: i64 = 10 * SECOND;

/// The progress of a scenario.
pub(super) struct Progress {
    bar: terminal::Progress,
    is_logged: bool,
    total: u64,
    done: u64,
    began: Timestamp,
    logged_at: Timestamp,
}

impl Progress {
    /// Starts a scenario of `total` rounds.
    pub(super) fn new(name: &'static str, total: u64) -> Self {
        let now = SystemClock.now();
        let is_logged = !std::io::stderr().is_terminal();
        Self { bar: terminal::progress(name, total), is_logged, total, done: 0, began: now, logged_at: now }
    }

    /// Counts a round. `violations` is the number so far.
    pub(super) fn step(&mut self, violations: u64) {
        self.done += 1;
        self.bar.reach(self.done);
        if self.done == self.total {
            self.bar.finish();
        }
        let now = SystemClock.now();
        if !self.is_logged || now.since(self.logged_at) < EVERY {
            return;
        }
        self.logged_at = now;
        let seconds = now.since(self.began) / SECOND;
        terminal::remark(&format!("{} of {} rounds after {seconds} s, {violations} violations", self.done, self.total));
    }
}
