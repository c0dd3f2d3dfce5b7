//! The load during a fail-over: owners who send their codes, guessers, and users who enrol, on all nodes at once. Each
//! records the answers, which are later checked against the database.
//!
//! A device is used up before the next one is used, so that answers after the fail-over do not hide those before it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock;
use crate::device::Device;
use crate::enrol::fill_user;
use crate::wire::Connection;

/// Codes of one device: as many as can all be replayed afterwards, because the fifth wrong code in a row locks.
pub(super) const CODES: usize = 5;
/// Guesses at one device, below the lock.
pub(super) const GUESSES: u32 = 4;
/// Timeout of a client; the server gives up after five seconds.
const ANSWER: Duration = Duration::from_secs(8);
/// Tasks of owners, of guessers, and of enrolments.
const TASKS: (usize, usize, usize) = (12, 4, 2);
/// Pause of a task after an answer, and after none.
const REST: Duration = Duration::from_millis(40);
const REST_IN_DOUBT: Duration = Duration::from_millis(250);

/// A device and the answers to its owner.
pub(super) struct Owner {
    pub(super) device: Device,
    /// Codes that were sent, and for each whether it was acknowledged.
    pub(super) codes: Vec<bool>,
}

/// A device and the answers to guesses at it.
pub(super) struct Target {
    pub(super) device: Device,
    /// Guesses that were refused as wrong.
    pub(super) refused: u32,
    /// Guesses without an answer, which may count or not.
    pub(super) in_doubt: u32,
}

/// An accepted code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Success {
    pub(super) sent: Instant,
    pub(super) answered: Instant,
    pub(super) node: usize,
}

/// The observable state of a running load.
#[derive(Debug, Default)]
pub(super) struct Watch {
    stopped: AtomicBool,
    successes: Mutex<Vec<Success>>,
    /// Requests without a definite answer: 503, a dropped connection, a timeout.
    pub(super) in_doubt: AtomicUsize,
}

impl Watch {
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn successes(&self) -> Vec<Success> {
        self.successes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// The parameters of a load.
pub(super) struct Setup {
    pub(super) nodes: Vec<SocketAddr>,
    pub(super) authorization: String,
    pub(super) owners: Vec<Device>,
    pub(super) targets: Vec<Device>,
    /// The number of the first user who enrols.
    pub(super) first_new: usize,
}

/// All recorded answers.
#[derive(Default)]
pub(super) struct Records {
    pub(super) owners: Vec<Owner>,
    pub(super) targets: Vec<Target>,
    pub(super) enrolled: Vec<Device>,
    pub(super) violations: Vec<String>,
}

/// Runs the load until it is stopped or has nothing left to send.
pub(super) async fn run(setup: Setup, watch: Arc<Watch>) -> Result<Records> {
    let mut tasks = JoinSet::new();
    let (owners, targets, new) = TASKS;
    for (number, devices) in dealt(setup.owners, owners).into_iter().enumerate() {
        let client = Client::new(setup.nodes.clone(), number);
        tasks.spawn(own(client, devices, watch.clone()));
    }
    for (number, devices) in dealt(setup.targets, targets).into_iter().enumerate() {
        let client = Client::new(setup.nodes.clone(), number);
        tasks.spawn(guess(client, devices, watch.clone()));
    }
    for number in 0..new {
        let (nodes, authorization) = (setup.nodes.clone(), setup.authorization.clone());
        tasks.spawn(enrol(nodes, authorization, setup.first_new + number, new, watch.clone()));
    }
    let mut records = Records::default();
    while let Some(task) = tasks.join_next().await {
        let task = task?;
        records.owners.extend(task.owners);
        records.targets.extend(task.targets);
        records.enrolled.extend(task.enrolled);
        records.violations.extend(task.violations);
    }
    Ok(records)
}

fn dealt(devices: Vec<Device>, tasks: usize) -> Vec<Vec<Device>> {
    let mut dealt: Vec<Vec<Device>> = (0..tasks).map(|_| Vec::new()).collect();
    for (number, device) in devices.into_iter().enumerate() {
        dealt[number % tasks].push(device);
    }
    dealt
}

/// Sends each code until it is accepted or known to be spent.
async fn own(mut client: Client, devices: Vec<Device>, watch: Arc<Watch>) -> Records {
    let mut records = Records::default();
    for mut device in devices {
        let mut codes = Vec::new();
        while codes.len() < CODES && !watch.is_stopped() {
            let request = device.fresh().to_vec();
            let mut doubts = 0;
            let acknowledged = loop {
                let sent = clock::now();
                match client.send(&request).await {
                    Some((200, _)) => {
                        let success = Success { sent, answered: clock::now(), node: client.last() };
                        watch.successes.lock().unwrap_or_else(PoisonError::into_inner).push(success);
                        break true;
                    }
                    // One of the missing answers was the acceptance.
                    Some((401, _)) if doubts > 0 => break false,
                    Some((503, _)) | None => {
                        doubts += 1;
                        watch.in_doubt.fetch_add(1, Ordering::Relaxed);
                        if watch.is_stopped() {
                            break false;
                        }
                        clock::rest(REST_IN_DOUBT).await;
                    }
                    Some((status, _)) => {
                        records.violations.push(format!("user {}: a fresh code was answered {status}", device.user));
                        break false;
                    }
                }
            };
            codes.push(acknowledged);
            clock::rest(REST).await;
        }
        if !codes.is_empty() {
            records.owners.push(Owner { device, codes });
        }
        if watch.is_stopped() {
            break;
        }
    }
    records
}

/// Guesses at each device with a different code each time, because the same code within ten seconds counts once.
async fn guess(mut client: Client, devices: Vec<Device>, watch: Arc<Watch>) -> Records {
    let mut records = Records::default();
    for device in devices {
        let mut target = Target { device, refused: 0, in_doubt: 0 };
        for turn in 1..=GUESSES {
            if watch.is_stopped() {
                break;
            }
            let request = target.device.guess(turn).to_vec();
            match client.send(&request).await {
                Some((401, false)) => target.refused += 1,
                Some((503, _)) | None => {
                    target.in_doubt += 1;
                    watch.in_doubt.fetch_add(1, Ordering::Relaxed);
                    clock::rest(REST_IN_DOUBT).await;
                }
                Some(answer) => {
                    records
                        .violations
                        .push(format!("user {}: a wrong code was answered {answer:?}", target.device.user));
                }
            }
            clock::rest(REST).await;
        }
        if target.refused + target.in_doubt > 0 {
            records.targets.push(target);
        }
        if watch.is_stopped() {
            break;
        }
    }
    records
}

/// Creates users with a confirmed device. Only fully acknowledged ones are recorded.
async fn enrol(nodes: Vec<SocketAddr>, authorization: String, first: usize, step: usize, watch: Arc<Watch>) -> Records {
    let mut records = Records::default();
    let mut number = first;
    while !watch.is_stopped() {
        let filling = fill_user(nodes[number / step % nodes.len()], authorization.clone(), number, 1);
        match timeout(5 * ANSWER, filling).await {
            Ok(Ok(devices)) => records.enrolled.extend(devices),
            _ => {
                watch.in_doubt.fetch_add(1, Ordering::Relaxed);
                clock::rest(REST_IN_DOUBT).await;
            }
        }
        number += step;
        clock::rest(2 * REST).await;
    }
    records
}

/// A client that calls the nodes in turn, with one kept-alive connection to each.
pub(super) struct Client {
    nodes: Vec<SocketAddr>,
    lines: Vec<Option<Connection>>,
    turn: usize,
}

impl Client {
    pub(super) fn new(nodes: Vec<SocketAddr>, first: usize) -> Self {
        Self { lines: nodes.iter().map(|_| None).collect(), nodes, turn: first }
    }

    /// The node of the last request.
    fn last(&self) -> usize {
        self.turn % self.nodes.len()
    }

    /// Asks the next node. Returns the status and whether there is a `Retry-After`; `None` without an answer.
    pub(super) async fn send(&mut self, request: &[u8]) -> Option<(u16, bool)> {
        self.turn += 1;
        let node = self.last();
        let answer = timeout(ANSWER, Self::exchange(self.nodes[node], &mut self.lines[node], request)).await;
        let answer = answer.ok().and_then(Result::ok);
        if answer.is_none() {
            self.lines[node] = None;
        }
        answer
    }

    async fn exchange(node: SocketAddr, line: &mut Option<Connection>, request: &[u8]) -> Result<(u16, bool)> {
        let line = match line {
            Some(line) => line,
            None => line.insert(Connection::open(node).await?),
        };
        let answer = line.exchange(request).await?;
        let head = std::str::from_utf8(answer.head).context("a head that is no text")?;
        Ok((answer.status, head.to_ascii_lowercase().contains("\r\nretry-after:")))
    }

    /// Repeats the request until there is a definite answer.
    pub(super) async fn insist(&mut self, request: &[u8]) -> Result<(u16, bool)> {
        for _ in 0..20 {
            match self.send(request).await {
                Some((503, _)) | None => clock::rest(REST_IN_DOUBT).await,
                Some(answer) => return Ok(answer),
            }
        }
        anyhow::bail!("no node answers")
    }
}
