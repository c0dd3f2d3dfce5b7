//! Measures a server and what it is compared with in alternating windows. Other load on the machine slows all alike, so
//! their ratios say more than any number.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::runtime::Runtime;

use crate::driver::{self, Counts};
use crate::helper::Helper;
use crate::process::{Cpu, CpuReading};
use crate::row::{Goal, Row, Unit};
use crate::stats::{HEADING, Series, listed, spread};
use crate::workload::Workload;

/// Time for which each side is driven before anything counts: page cache, allocator, prepared statements.
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
    /// A yardstick has no results: what it answers proves nothing.
    is_yardstick: bool,
    pub(crate) workloads: Vec<E>,
}

impl<E: Workload> Load<E> {
    /// Load for Countersign.
    pub(crate) fn new(address: SocketAddr, pid: u32, workloads: Vec<E>) -> Self {
        Self { address, pid, is_yardstick: false, workloads }
    }

    /// Load for a server that others are compared with.
    pub(crate) fn yardstick(helper: &Helper, workloads: Vec<E>) -> Self {
        Self { is_yardstick: true, ..Self::new(helper.address, helper.pid(), workloads) }
    }

    /// Load for a server in this process that others are compared with.
    pub(crate) fn here(address: SocketAddr, workloads: Vec<E>) -> Self {
        Self { is_yardstick: true, ..Self::new(address, std::process::id(), workloads) }
    }
}

impl<E: Workload> Side for Load<E> {
    fn window(&mut self, runner: &mut Runner, time: Duration) -> Result<(Counts, Cpu)> {
        let before = CpuReading::of(self.pid)?;
        let driven = driver::drive(self.address, std::mem::take(&mut self.workloads), time);
        let (workloads, mut counts) = runner.runtime.block_on(driven)?;
        let cpu = CpuReading::of(self.pid)?.since(&before);
        self.workloads = workloads;
        if self.is_yardstick {
            ensure!(counts.violations.is_empty(), "the yardstick failed: {:?}", counts.violations.first());
        } else {
            runner.results.enter(&mut counts);
        }
        ensure!(!counts.ran_dry, "this machine does more than was prepared for; choose shorter windows with --seconds");
        Ok((counts, cpu))
    }
}

/// The windows of a server, and of each yardstick.
pub(crate) struct Comparison {
    pub(crate) own: Series,
    yardsticks: Vec<Series>,
}

/// Warms all sides up, then drives them in turn, for this number of windows of each.
pub(crate) fn compare(
    runner: &mut Runner,
    (windows, time): (usize, Duration),
    own: &mut dyn Side,
    yardsticks: &mut [&mut dyn Side],
) -> Result<Comparison> {
    own.window(runner, time.min(WARM_UP))?;
    for yardstick in &mut *yardsticks {
        yardstick.window(runner, time.min(WARM_UP))?;
    }
    let mut comparison = Comparison { own: Series::default(), yardsticks: Vec::new() };
    comparison.yardsticks.resize_with(yardsticks.len(), Series::default);
    for _ in 0..windows {
        let (counts, cpu) = own.window(runner, time)?;
        comparison.own.add(&counts, cpu);
        for (yardstick, series) in yardsticks.iter_mut().zip(&mut comparison.yardsticks) {
            let (counts, cpu) = yardstick.window(runner, time)?;
            series.add(&counts, cpu);
        }
    }
    Ok(comparison)
}

impl Comparison {
    /// The row with the ratios to the first yardstick, and what the server used.
    pub(crate) fn row(&self, what: &str, goal: Goal) -> Row {
        self.row_against(0, what, goal)
    }

    /// The row with the ratios to the yardstick of this number.
    pub(crate) fn row_against(&self, number: usize, what: &str, goal: Goal) -> Row {
        Row::new(what, Unit::Part, goal, self.ratios(number)).with_cost(self.own.cost())
    }

    /// The row with the CPU time of an operation.
    pub(crate) fn cpu_row(&self, what: &str, goal: Goal) -> Row {
        Row::new(what, Unit::Microseconds, goal, self.own.cpu_each())
    }

    fn ratios(&self, number: usize) -> Vec<f64> {
        self.yardsticks.get(number).map(|yardstick| self.own.ratios(yardstick)).unwrap_or_default()
    }

    /// All measured numbers, with the names of the server and of the yardsticks.
    pub(crate) fn raw(&self, title: &str, own: &str, yardsticks: &[&str]) -> Vec<String> {
        let named = || std::iter::once((own, &self.own)).chain(yardsticks.iter().copied().zip(&self.yardsticks));
        let mut lines = vec![title.to_owned(), HEADING.to_owned()];
        lines.extend(named().map(|(name, series)| series.line(name)));
        lines.extend(named().map(|(name, series)| format!("  {name}, each window: {}", listed(series.rates(), 0))));
        for (number, name) in yardsticks.iter().enumerate() {
            lines.push(format!("  ratios to {name}: {}", listed(&self.ratios(number), 3)));
        }
        lines
    }

    /// The ratios to the first yardstick as one text: the middle one, and the ends.
    pub(crate) fn ratio(&self) -> String {
        spread(&self.ratios(0), 2)
    }
}
