//! The load itself, as fast as answers come: lanes, each one connection with an errand of its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::device::Device;
use super::errand::{Errand, Judged, refused};
use super::wire::Connection;
use crate::clock;

/// What happened in a window.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Microseconds of each exchange but those that were to be refused.
    pub(super) latencies: Vec<u32>,
    /// What was done.
    pub(super) done: u64,
    /// Spent codes refused.
    pub(super) refused: u64,
    /// What must not happen.
    pub(super) violations: Vec<String>,
    /// A lane had nothing left to send.
    pub(super) ran_dry: bool,
    /// How long it took.
    pub(super) elapsed: Duration,
}

impl Tally {
    /// Adds another tally's counts.
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.done += other.done;
        self.refused += other.refused;
        self.violations.extend(other.violations);
        self.ran_dry |= other.ran_dry;
    }

    /// Exchanges that count, of whichever kind.
    pub(super) fn exchanges(&self) -> u64 {
        self.done + self.refused
    }

    /// Takes a judgement in, of an exchange that began then; tells whether the lane can go on.
    pub(super) fn enter(&mut self, judged: Result<Option<Judged>>, began: Instant) -> bool {
        let judged = match judged {
            Ok(Some(judged)) => judged,
            Ok(None) => {
                self.ran_dry = true;
                return false;
            }
            Err(wrong) => {
                self.violations.push(format!("{wrong:#}"));
                return false;
            }
        };
        match judged {
            Judged::Done => self.done += 1,
            Judged::Refused => {
                self.refused += 1;
                return true;
            }
            Judged::Half => {}
        }
        self.latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        true
    }
}

/// Drives errands for some time, each over a connection of its own, and gives them back as they are afterwards.
pub(super) async fn drive<E: Errand>(address: SocketAddr, errands: Vec<E>, time: Duration) -> Result<(Vec<E>, Tally)> {
    let mut open = Vec::with_capacity(errands.len());
    for _ in 0..errands.len() {
        open.push(Connection::open(address).await?);
    }
    let began = clock::now();
    let mut lanes = JoinSet::new();
    for (connection, errand) in open.into_iter().zip(errands) {
        lanes.spawn(lane(connection, errand, began + time));
    }
    gather(lanes, began).await
}

/// Waits for lanes that began then, and adds up.
pub(super) async fn gather<E: 'static>(mut lanes: JoinSet<(E, Tally)>, began: Instant) -> Result<(Vec<E>, Tally)> {
    let mut errands = Vec::with_capacity(lanes.len());
    let mut tally = Tally::default();
    while let Some(ended) = lanes.join_next().await {
        let (errand, counted) = ended?;
        errands.push(errand);
        tally.add(counted);
    }
    tally.elapsed = began.elapsed();
    Ok((errands, tally))
}

async fn lane<E: Errand>(mut line: Connection, mut errand: E, end: Instant) -> (E, Tally) {
    let mut tally = Tally::default();
    loop {
        let began = clock::now();
        if began >= end {
            break;
        }
        let judged = exchange(&mut line, &mut errand).await;
        if !tally.enter(judged, began) {
            break;
        }
    }
    (errand, tally)
}

/// One request and the judgement of its answer; `None` if nothing is left to send.
pub(super) async fn exchange<E: Errand>(line: &mut Connection, errand: &mut E) -> Result<Option<Judged>> {
    let Some(request) = errand.request() else { return Ok(None) };
    let answer = line.exchange(request).await?;
    errand.judge(&answer).map(Some)
}

/// Sends every device's last code again, and of the first `guesses` devices of each user the code before it, which the
/// server takes for a replay too. All must be refused.
pub(super) async fn replay(address: SocketAddr, devices: &mut [Device], guesses: usize) -> Result<Tally> {
    let mut line = Connection::open(address).await?;
    let mut tally = Tally::default();
    let mut guessed = std::collections::HashMap::new();
    for device in devices {
        let used: &mut usize = guessed.entry(device.user).or_default();
        let mut judged = match device.spent() {
            Some(request) => refuse(&mut line, request, &mut tally).await,
            None => Ok(()),
        };
        if judged.is_ok()
            && *used < guesses
            && let Some(request) = device.long_spent()
        {
            *used += 1;
            judged = refuse(&mut line, request, &mut tally).await;
        }
        if let Err(wrong) = judged {
            tally.violations.push(format!("user {}: {wrong:#}", device.user));
            line = Connection::open(address).await?;
        }
    }
    Ok(tally)
}

async fn refuse(line: &mut Connection, request: &[u8], tally: &mut Tally) -> Result<()> {
    refused(&line.exchange(request).await?)?;
    tally.refused += 1;
    Ok(())
}
