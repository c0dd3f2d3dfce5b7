//! One fail-over: the load starts, the primary fails, another member takes over, and the clients' records are checked.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

use super::check::{Findings, check};
use super::cluster::Cluster;
use super::load::{self, Records, Setup, Success, Watch};
use crate::clock;

/// Time under load before the fault, and after every node has answered again.
const BEFORE: Duration = Duration::from_secs(6);
const AFTER: Duration = Duration::from_secs(4);
/// Timeout of a fail-over.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the primary fails.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    Killed,
    /// Killed after its standbys have got nothing for this time, so that everything it confirms then is lost.
    CutOffThenKilled(Duration),
    /// Frozen with open connections, and resumed long after another member has taken over.
    Frozen,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::Frozen => f.write_str("frozen"),
            Self::CutOffThenKilled(time) => write!(f, "mute {:.1} s, killed", time.as_secs_f64()),
        }
    }
}

/// The result of one fail-over.
pub(super) struct Failover {
    pub(super) fault: Fault,
    /// The members that held the database before and after.
    pub(super) from: u8,
    pub(super) to: u8,
    /// From the kill to the first code accepted, by node.
    pub(super) recovery: Vec<Duration>,
    /// Codes accepted before the kill, and after it.
    pub(super) before: usize,
    pub(super) after: usize,
    /// Requests with 503, a dropped connection, or a timeout.
    pub(super) in_doubt: usize,
    pub(super) findings: Findings,
    /// From the restart of the old primary until it is a standby again.
    pub(super) rejoined: Duration,
}

/// Runs one fail-over.
pub(super) fn run(fault: Fault, setup: Setup, cluster: &mut Cluster) -> Result<Failover> {
    let nodes = setup.nodes.clone();
    let load = Load::start(setup);
    clock::pause(BEFORE);
    let from = cluster.primary().context("no member takes writes")?;
    if let Fault::CutOffThenKilled(time) = fault {
        cluster.mute(from)?;
        clock::pause(time);
    }
    let killed = clock::now();
    match fault {
        Fault::Frozen => cluster.freeze(from)?,
        Fault::Killed | Fault::CutOffThenKilled(_) => cluster.kill(from)?,
    }
    let recovery = load.wait_for_all(nodes.len(), killed, clock::now())?;
    clock::pause(AFTER);
    let (records, successes, in_doubt) = load.stop()?;
    let to = cluster.primary().context("no member takes writes")?;
    let findings = checked(records, cluster, &nodes)?;
    let before = successes.iter().filter(|success| success.answered < killed).count();

    let rejoining = clock::now();
    match fault {
        Fault::Frozen => cluster.thaw(from)?,
        Fault::Killed | Fault::CutOffThenKilled(_) => cluster.start_member(from)?,
    }
    cluster.wait_until_whole()?;
    let rejoined = rejoining.elapsed();
    Ok(Failover { fault, from, to, recovery, before, after: successes.len() - before, in_doubt, findings, rejoined })
}

fn checked(records: Records, cluster: &Cluster, nodes: &[SocketAddr]) -> Result<Findings> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(check(records, cluster, nodes))
}

/// A load on a separate thread, so that work on the cluster does not delay it.
struct Load {
    watch: Arc<Watch>,
    thread: JoinHandle<Result<Records>>,
}

impl Load {
    fn start(setup: Setup) -> Self {
        let watch = Arc::new(Watch::default());
        let watched = watch.clone();
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load::run(setup, watched))
        });
        Self { watch, thread }
    }

    /// Waits until each node has accepted a code that was sent after `dead`. Returns the times since `killed`.
    fn wait_for_all(&self, nodes: usize, killed: Instant, dead: Instant) -> Result<Vec<Duration>> {
        loop {
            let successes = self.watch.successes();
            let back: Option<Vec<Duration>> = (0..nodes)
                .map(|node| {
                    let own = successes.iter().filter(|success| success.node == node && success.sent > dead);
                    own.map(|success| success.answered - killed).min()
                })
                .collect();
            if let Some(back) = back {
                return Ok(back);
            }
            if self.thread.is_finished() || dead.elapsed() > PATIENCE {
                bail!("not every node accepts codes again after the primary died");
            }
            clock::pause(Duration::from_millis(50));
        }
    }

    fn stop(self) -> Result<(Records, Vec<Success>, usize)> {
        self.watch.stop();
        let records = self.thread.join().map_err(|_| anyhow!("the load panicked"))??;
        Ok((records, self.watch.successes(), self.watch.in_doubt.load(Ordering::Relaxed)))
    }
}
