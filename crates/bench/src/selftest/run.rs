//! The self-test command, as a process beside the nodes that it tests, and three nodes on one PostgreSQL.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use pgtest::Cluster;
use xtask::step::run as run_command;
use xtask::terminal;

use crate::clock;
use crate::node::Node;

/// How much the self-test sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) rounds: u64,
    pub(super) guesses: u64,
}

/// Time from a start to the next fault: long enough for the load to run again.
pub(super) const BETWEEN_FAULTS: Duration = Duration::from_millis(1_700);
/// Time that a node or a database stays down.
pub(super) const AWAY: Duration = Duration::from_millis(300);

/// How many nodes an installation on PostgreSQL has here.
pub(super) const NODES: usize = 3;
const NAMES: [&str; NODES] = ["one", "two", "three"];

/// Three nodes of one installation, on a fresh database.
pub(super) struct Nodes {
    pub(super) nodes: Vec<Node>,
    // Dropped after the nodes.
    _folder: tempfile::TempDir,
}

impl Nodes {
    /// Starts them one after the other: the first one makes the database.
    pub(super) fn start(binaries: [&Path; NODES], cluster: &Cluster) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = cluster.new_database();
        let options = ["--database-url", &database];
        let named = NAMES.iter().zip(binaries);
        let nodes = named.map(|(name, binary)| Node::start(binary, folder.path(), name, &options));
        Ok(Self { nodes: nodes.collect::<Result<_>>()?, _folder: folder })
    }

    pub(super) fn all(&self) -> Vec<&Node> {
        self.nodes.iter().collect()
    }

    /// Runs the self-test of this binary against all of them, undisturbed.
    pub(super) fn test(&mut self, binary: &Path, size: Size) -> Result<()> {
        let done = run_command(&mut command(binary, &self.all(), size));
        // The log of a node that ended says more than its broken connections.
        self.nodes.iter_mut().try_for_each(Node::ensure_alive)?;
        done
    }
}

/// The self-test command against these nodes, with the client of the first node's ready file.
pub(super) fn command(binary: &Path, nodes: &[&Node], size: Size) -> Command {
    let mut command = Command::new(binary);
    command.args(["selftest", "--rounds", &size.rounds.to_string(), "--guesses", &size.guesses.to_string()]);
    for node in nodes {
        command.arg("--url").arg(node.url());
    }
    // All nodes of one installation have the same clients.
    command.args(nodes.first().map(|node| format!("--ready-file={}", node.ready_file().display())));
    command
}

/// A running self-test, killed when dropped.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).spawn().context("cannot start the self-test")?))
    }

    /// Waits for this time, or until it ends. Returns whether it still runs.
    pub(super) fn runs_for(&mut self, time: Duration) -> Result<bool> {
        let began = clock::now();
        while began.elapsed() < time {
            if self.0.try_wait()?.is_some() {
                return Ok(false);
            }
            clock::pause(Duration::from_millis(20));
        }
        Ok(true)
    }

    /// Fails if the run failed, or ended before the first fault.
    pub(super) fn succeeded_after(mut self, faults: u32) -> Result<()> {
        terminal::say(&format!("{faults} faults during the run."));
        ensure!(faults > 0, "the run ended before the first fault; give it more rounds");
        let status = self.0.wait()?;
        ensure!(status.success(), "the self-test ended with {status}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
