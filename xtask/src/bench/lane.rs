//! The load itself: lanes, each one connection with devices of its own, so that no device has two requests in flight
//! and every refusal of a fresh code is the server's mistake.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::device::Device;
use super::wire::Connection;
use crate::clock;

/// What lanes send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Fresh codes only.
    Fresh,
    /// Each fresh code, then the same once more.
    FreshThenSpent,
    /// Whatever is sent is answered 200: the echo server.
    Echo,
}

/// What happened in a window.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Microseconds of each fresh exchange.
    pub(super) latencies: Vec<u32>,
    /// Fresh codes accepted.
    pub(super) accepted: u64,
    /// Spent codes refused.
    pub(super) refused: u64,
    /// What must not happen.
    pub(super) violations: Vec<String>,
    /// How long it took.
    pub(super) elapsed: Duration,
}

impl Tally {
    /// Adds another tally's counts.
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.violations.extend(other.violations);
    }

    /// Exchanges of any kind.
    pub(super) fn exchanges(&self) -> u64 {
        self.accepted + self.refused
    }
}

/// Drives `devices` over so many connections for some time, and gives them back as they are afterwards.
pub(super) async fn drive(
    address: SocketAddr,
    devices: Vec<Device>,
    connections: usize,
    time: Duration,
    traffic: Traffic,
) -> Result<(Vec<Device>, Tally)> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let mut shares: Vec<Vec<Device>> = (0..connections).map(|_| Vec::new()).collect();
    for (index, device) in devices.into_iter().enumerate() {
        shares[index % connections].push(device);
    }
    let began = clock::now();
    let mut lanes = JoinSet::new();
    for (connection, devices) in open.into_iter().zip(shares) {
        lanes.spawn(lane(connection, devices, began + time, traffic));
    }
    let mut devices = Vec::new();
    let mut tally = Tally::default();
    while let Some(ended) = lanes.join_next().await {
        let (own, counted) = ended?;
        devices.extend(own);
        tally.add(counted);
    }
    tally.elapsed = began.elapsed();
    Ok((devices, tally))
}

async fn lane(mut line: Connection, mut devices: Vec<Device>, end: Instant, traffic: Traffic) -> (Vec<Device>, Tally) {
    let mut tally = Tally::default();
    let mut turn = 0;
    while !devices.is_empty() {
        turn = (turn + 1) % devices.len();
        let device = &mut devices[turn];
        let began = clock::now();
        if began >= end {
            break;
        }
        let judged = fresh(&mut line, device).await;
        tally.latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        let judged = match judged {
            Ok(()) => {
                tally.accepted += 1;
                if traffic == Traffic::FreshThenSpent { spent(&mut line, device).await } else { Ok(false) }
            }
            Err(wrong) => Err(wrong),
        };
        match judged {
            Ok(refused) => tally.refused += u64::from(refused),
            Err(wrong) => {
                // This device's state is no longer known, and neither is the connection's.
                let user = device.user;
                tally.violations.push(format!("user {user}: {wrong:#}"));
                devices.swap_remove(turn);
                break;
            }
        }
    }
    (devices, tally)
}

/// Sends a fresh code, which must be accepted.
async fn fresh(line: &mut Connection, device: &mut Device) -> Result<()> {
    let answer = line.exchange(device.fresh()).await?;
    anyhow::ensure!(
        answer.status == 200,
        "a fresh code was answered {}: {}",
        answer.status,
        String::from_utf8_lossy(answer.body)
    );
    Ok(())
}

/// Sends the last code again, which must be refused; tells whether it could be sent.
async fn spent(line: &mut Connection, device: &mut Device) -> Result<bool> {
    match device.spent() {
        Some(request) => refuse(line, request).await.map(|()| true),
        None => Ok(false),
    }
}

async fn refuse(line: &mut Connection, request: &[u8]) -> Result<()> {
    let answer = line.exchange(request).await?;
    let body = String::from_utf8_lossy(answer.body);
    anyhow::ensure!(answer.status != 200, "A SPENT CODE WAS ACCEPTED AGAIN");
    anyhow::ensure!(answer.status == 401, "a spent code was answered {}: {body}", answer.status);
    Ok(())
}

/// Sends every device's last code again, and of the first `guesses` devices of each user the code before it, which the
/// server can only take for a guess. All must be refused.
pub(super) async fn replay(address: SocketAddr, devices: &mut [Device], guesses: usize) -> Result<Tally> {
    let mut line = Connection::open(address).await?;
    let mut tally = Tally::default();
    let mut guessed = std::collections::HashMap::new();
    for device in devices {
        let mut judged = spent(&mut line, device).await;
        let used: &mut usize = guessed.entry(device.user).or_default();
        if judged.is_ok()
            && *used < guesses
            && let Some(request) = device.long_spent()
        {
            *used += 1;
            tally.refused += 1;
            judged = refuse(&mut line, request).await.and(judged);
        }
        match judged {
            Ok(sent) => tally.refused += u64::from(sent),
            Err(wrong) => {
                tally.violations.push(format!("user {}: {wrong:#}", device.user));
                line = Connection::open(address).await?;
            }
        }
    }
    Ok(tally)
}
