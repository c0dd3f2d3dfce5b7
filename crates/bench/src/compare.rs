//! Measures two sides in alternating windows. Other load on the machine slows both sides alike, so their ratio says more
//! than either number.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::runtime::Runtime;

use crate::driver::{self, Counts};
use crate::process::Cpu;
use crate::row::{Goal, Row, Unit};
use crate::stats::{HEADING, Series, listed};
use crate::workload::Workload;

/// Time for which both sides are driven before anything counts: page cache, allocator, prepared statements.
const WARM_UP: Duration = Duration::from_millis(500);

/// The runtime that makes load, and the results so far.
pub(crate) struct Runner {
    pub(crate) runtime: Runtime,
    pub(crate) results: Results,
}

/// The results of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Number of right answers, without refusals.
    pub(crate) done: u64,
    /// Spent codes refused.
    pub(crate) refused: u64,
    /// What a wrong answer was, one text for each.
    pub(crate) violations: Vec<String>,
}

impl Results {
    /// Adds the results of a window.
    pub(crate) fn enter(&mut self, counts: &mut Counts) {
        self.done += counts.done;
        self.refused += counts.refused;
        self.violations.append(&mut counts.violations);
    }

    /// Adds the result of a single check.
    pub(crate) fn check(&mut self, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.done += 1,
            Err(wrong) => self.violations.push(format!("{wrong:#}")),
        }
    }
}

impl Runner {
    /// A runner without results.
    pub(crate) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, results: Results::default() })
    }
}

/// One side of a comparison.
pub(crate) trait Side {
    /// Drives it, and enters what came of it in the runner's results.
    fn window(&mut self, runner: &mut Runner, time: Duration) -> Result<(Counts, Cpu)>;
}

/// A server and the workloads for it.
pub(crate) struct Load<E> {
    address: SocketAddr,
    pid: u32,
    /// The ceiling has no results: what it answers proves nothing.
    is_ceiling: bool,
    pub(crate) workloads: Vec<E>,
}

impl<E: Workload> Load<E> {
    /// Load for Countersign.
    pub(crate) fn new(address: SocketAddr, pid: u32, workloads: Vec<E>) -> Self {
        Self { address, pid, is_ceiling: false, workloads }
    }

    /// Load for the server that sets the ceiling.
    pub(crate) fn ceiling(address: SocketAddr, pid: u32, workloads: Vec<E>) -> Self {
        Self { address, pid, is_ceiling: true, workloads }
    }
}

impl<E: Workload> Side for Load<E> {
    fn window(&mut self, runner: &mut Runner, time: Duration) -> Result<(Counts, Cpu)> {
        let before = Cpu::of(self.pid)?;
        let driven = driver::drive(self.address, std::mem::take(&mut self.workloads), time);
        let (workloads, mut counts) = runner.runtime.block_on(driven)?;
        let cpu = Cpu::of(self.pid)?.since(before);
        self.workloads = workloads;
        if self.is_ceiling {
            ensure!(counts.violations.is_empty(), "the ceiling failed: {:?}", counts.violations.first());
        } else {
            runner.results.enter(&mut counts);
        }
        ensure!(!counts.ran_dry, "this machine does more than was prepared for; choose shorter windows with --seconds");
        Ok((counts, cpu))
    }
}

/// The windows of two sides.
pub(crate) struct Comparison {
    pub(crate) own: Series,
    pub(crate) other: Series,
}

/// Warms both sides up, then drives them in turn, for this number of pairs of windows.
pub(crate) fn compare(
    runner: &mut Runner,
    (pairs, time): (usize, Duration),
    own: &mut impl Side,
    other: &mut impl Side,
) -> Result<Comparison> {
    own.window(runner, time.min(WARM_UP))?;
    other.window(runner, time.min(WARM_UP))?;
    let mut comparison = Comparison { own: Series::default(), other: Series::default() };
    for _ in 0..pairs {
        let (counts, cpu) = own.window(runner, time)?;
        comparison.own.add(&counts, cpu);
        let (counts, cpu) = other.window(runner, time)?;
        comparison.other.add(&counts, cpu);
    }
    Ok(comparison)
}

impl Comparison {
    /// The row with the ratios.
    pub(crate) fn row(&self, what: &str, goal: Goal) -> Row {
        Row::new(what, Unit::Part, goal, self.own.ratios(&self.other))
    }

    /// All measured numbers, with the names of the two sides.
    pub(crate) fn raw(&self, title: &str, own: &str, other: &str) -> Vec<String> {
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
