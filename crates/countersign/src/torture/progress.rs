//! Tells how far a long scenario has come: a bar for a person, a line now and then for a log.

use std::io::IsTerminal as _;

use domain::Timestamp;
use domain::model::time::SECOND;
use engine::Clock as _;
use engine::clock::SystemClock;

use crate::terminal;

/// Time between two lines, in milliseconds.
const EVERY: i64 = 10 * SECOND;

/// How far a scenario has come. Scenarios that are over at once say nothing.
pub(super) struct Progress {
    bar: terminal::Progress,
    is_logged: bool,
    total: u64,
    done: u64,
    began: Timestamp,
    told_at: Timestamp,
}

impl Progress {
    /// A scenario of so many rounds, about to begin.
    pub(super) fn new(name: &'static str, total: u64) -> Self {
        let now = SystemClock.now();
        let is_logged = !std::io::stderr().is_terminal();
        Self { bar: terminal::progress(name, total), is_logged, total, done: 0, began: now, told_at: now }
    }

    /// One more round is done, with so many violations in all.
    pub(super) fn step(&mut self, violations: u64) {
        self.done += 1;
        self.bar.reach(self.done);
        if self.done == self.total {
            self.bar.finish();
        }
        let now = SystemClock.now();
        if !self.is_logged || now.since(self.told_at) < EVERY {
            return;
        }
        self.told_at = now;
        let seconds = now.since(self.began) / SECOND;
        terminal::remark(&format!("{} of {} rounds after {seconds} s, {violations} violations", self.done, self.total));
    }
}
