//! Two sides measured in alternating windows: a machine that others use too is as slow for the one as for the other, so
//! that their ratio says more than either number.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::runtime::Runtime;

use super::errand::Errand;
use super::lane::{self, Tally};
use super::process::Cpu;
use super::report::{HEADING, Series, listed};
use super::row::{Goal, Row, Unit};

/// How long both sides are driven before anything counts: page cache, allocator, prepared statements.
const WARM_UP: Duration = Duration::from_millis(500);

/// Where load is made, and the book of what came of it.
pub(super) struct Stage {
    pub(super) runtime: Runtime,
    pub(super) book: Book,
}

/// What a run has come to.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// What was done as it must be.
    pub(super) done: u64,
    /// Spent codes refused.
    pub(super) refused: u64,
    /// What must not happen.
    pub(super) violations: Vec<String>,
}

impl Book {
    /// Takes a window in.
    pub(super) fn enter(&mut self, tally: &mut Tally) {
        self.done += tally.done;
        self.refused += tally.refused;
        self.violations.append(&mut tally.violations);
    }

    /// Takes in what was checked by itself.
    pub(super) fn check(&mut self, judged: Result<()>) {
        match judged {
            Ok(()) => self.done += 1,
            Err(wrong) => self.violations.push(format!("{wrong:#}")),
        }
    }
}

impl Stage {
    /// A stage with nobody on it.
    pub(super) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, book: Book::default() })
    }
}

/// Something that can be driven for a while.
pub(super) trait Side {
    /// Drives it, and enters what came of it in the stage's book.
    fn window(&mut self, stage: &mut Stage, time: Duration) -> Result<(Tally, Cpu)>;
}

/// A server and the errands that load it.
pub(super) struct Load<E> {
    address: SocketAddr,
    pid: u32,
    /// The ceiling has no book: what it answers proves nothing.
    is_ceiling: bool,
    pub(super) errands: Vec<E>,
}

impl<E: Errand> Load<E> {
    /// Load for Countersign.
    pub(super) fn new(address: SocketAddr, pid: u32, errands: Vec<E>) -> Self {
        Self { address, pid, is_ceiling: false, errands }
    }

    /// Load for the server that everything is compared with.
    pub(super) fn ceiling(address: SocketAddr, pid: u32, errands: Vec<E>) -> Self {
        Self { address, pid, is_ceiling: true, errands }
    }
}

impl<E: Errand> Side for Load<E> {
    fn window(&mut self, stage: &mut Stage, time: Duration) -> Result<(Tally, Cpu)> {
        let before = Cpu::of(self.pid)?;
        let driven = lane::drive(self.address, std::mem::take(&mut self.errands), time);
        let (errands, mut tally) = stage.runtime.block_on(driven)?;
        let cpu = Cpu::of(self.pid)?.since(before);
        self.errands = errands;
        if self.is_ceiling {
            ensure!(tally.violations.is_empty(), "the ceiling failed: {:?}", tally.violations.first());
        } else {
            stage.book.enter(&mut tally);
        }
        ensure!(!tally.ran_dry, "this machine does more than was prepared for; choose shorter windows with --seconds");
        Ok((tally, cpu))
    }
}

/// Windows of two sides.
pub(super) struct Duel {
    pub(super) own: Series,
    pub(super) other: Series,
}

/// Warms both sides, then drives them in turn, so many pairs of windows of this length.
pub(super) fn alternate(
    stage: &mut Stage,
    (pairs, time): (usize, Duration),
    own: &mut impl Side,
    other: &mut impl Side,
) -> Result<Duel> {
    own.window(stage, time.min(WARM_UP))?;
    other.window(stage, time.min(WARM_UP))?;
    let mut duel = Duel { own: Series::default(), other: Series::default() };
    for _ in 0..pairs {
        let (tally, cpu) = own.window(stage, time)?;
        duel.own.add(&tally, cpu);
        let (tally, cpu) = other.window(stage, time)?;
        duel.other.add(&tally, cpu);
    }
    Ok(duel)
}

impl Duel {
    /// The row that the ratios make.
    pub(super) fn row(&self, what: &str, goal: Goal) -> Row {
        Row::new(what, Unit::Part, goal, self.own.ratios(&self.other))
    }

    /// Everything that was measured, with the names of the two sides.
    pub(super) fn raw(&self, title: &str, own: &str, other: &str) -> Vec<String> {
        vec![
            title.to_owned(),
            HEADING.to_owned(),
            self.own.line(own),
            self.other.line(other),
            format!("  {own}, each window: {}", listed(self.own.rates(), 0)),
            format!("  {other}, each window: {}", listed(self.other.rates(), 0)),
            format!("  ratios: {}", listed(&self.own.ratios(&self.other), 3)),
        ]
    }
}
