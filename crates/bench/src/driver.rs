//! Drives workloads as fast as answers come: one task with one connection for each.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::clock;
use crate::device::Device;
use crate::wire::Connection;
use crate::workload::{Outcome, Workload, refused};

/// What happened in a window.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Duration of each exchange in microseconds, without expected refusals.
    pub(crate) latencies: Vec<u32>,
    /// What was done.
    pub(crate) done: u64,
    /// Spent codes refused.
    pub(crate) refused: u64,
    /// What a wrong answer was, one text for each.
    pub(crate) violations: Vec<String>,
    /// A lane had nothing left to send.
    pub(crate) ran_dry: bool,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl Counts {
    /// Adds another counts's counts.
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.done += other.done;
        self.refused += other.refused;
        self.violations.extend(other.violations);
        self.ran_dry |= other.ran_dry;
    }

    /// All exchanges that count.
    pub(crate) fn exchanges(&self) -> u64 {
        self.done + self.refused
    }

    /// Takes a judgement in, of an exchange that began then; tells whether the lane can go on.
    pub(crate) fn enter(&mut self, outcome: Result<Option<Outcome>>, began: Instant) -> bool {
        let outcome = match outcome {
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                self.ran_dry = true;
                return false;
            }
            Err(wrong) => {
                self.violations.push(format!("{wrong:#}"));
                return false;
            }
        };
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::Refused => {
                self.refused += 1;
                return true;
            }
            Outcome::Half => {}
        }
        self.latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        true
    }
}

/// Drives workloads for some time, each over a separate connection. Returns them with their new state.
pub(crate) async fn drive<E: Workload>(
    address: SocketAddr,
    workloads: Vec<E>,
    time: Duration,
) -> Result<(Vec<E>, Counts)> {
    let mut open = Vec::with_capacity(workloads.len());
    for _ in 0..workloads.len() {
        open.push(Connection::open(address).await?);
    }
    let began = clock::now();
    let mut tasks = JoinSet::new();
    for (connection, workload) in open.into_iter().zip(workloads) {
        tasks.spawn(drive_connection(connection, workload, began + time));
    }
    gather(tasks, began).await
}

/// Waits for tasks that began at `began`, and adds their counts.
pub(crate) async fn gather<E: 'static>(mut tasks: JoinSet<(E, Counts)>, began: Instant) -> Result<(Vec<E>, Counts)> {
    let mut workloads = Vec::with_capacity(tasks.len());
    let mut counts = Counts::default();
    while let Some(ended) = tasks.join_next().await {
        let (workload, counted) = ended?;
        workloads.push(workload);
        counts.add(counted);
    }
    counts.elapsed = began.elapsed();
    Ok((workloads, counts))
}

async fn drive_connection<E: Workload>(mut line: Connection, mut workload: E, end: Instant) -> (E, Counts) {
    let mut counts = Counts::default();
    loop {
        let began = clock::now();
        if began >= end {
            break;
        }
        let outcome = exchange(&mut line, &mut workload).await;
        if !counts.enter(outcome, began) {
            break;
        }
    }
    (workload, counts)
}

/// One request and the judgement of its answer; `None` if nothing is left to send.
pub(crate) async fn exchange<E: Workload>(line: &mut Connection, workload: &mut E) -> Result<Option<Outcome>> {
    let Some(request) = workload.request() else { return Ok(None) };
    let answer = line.exchange(request).await?;
    workload.check(&answer).map(Some)
}

/// Sends every device's last code again, and for the first `guesses` devices of each user also the code before it, which
/// is a replay too. All must be refused.
pub(crate) async fn replay(address: SocketAddr, devices: &mut [Device], guesses: usize) -> Result<Counts> {
    let mut line = Connection::open(address).await?;
    let mut counts = Counts::default();
    let mut guessed = std::collections::HashMap::new();
    for device in devices {
        let used: &mut usize = guessed.entry(device.user).or_default();
        let mut outcome = match device.spent() {
            Some(request) => refuse(&mut line, request, &mut counts).await,
            None => Ok(()),
        };
        if outcome.is_ok()
            && *used < guesses
            && let Some(request) = device.long_spent()
        {
            *used += 1;
            outcome = refuse(&mut line, request, &mut counts).await;
        }
        if let Err(wrong) = outcome {
            counts.violations.push(format!("user {}: {wrong:#}", device.user));
            line = Connection::open(address).await?;
        }
    }
    Ok(counts)
}

async fn refuse(line: &mut Connection, request: &[u8], counts: &mut Counts) -> Result<()> {
    refused(&line.exchange(request).await?)?;
    counts.refused += 1;
    Ok(())
}
