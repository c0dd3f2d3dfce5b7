//! Three nodes over one PostgreSQL: unharmed, with one of them killed, and with the database gone for a moment.

use std::path::Path;

use anyhow::{Context as _, Result};
use pgtest::Cluster;

use super::node::Node;
use super::{AWAY, BETWEEN_KILLS, Running, Size, torture};
use crate::clock;
use crate::step::{run as run_command, step};

/// The nodes' names.
const NODES: [&str; 3] = ["one", "two", "three"];

/// Three nodes of one world, over a database of their own.
struct Nodes {
    nodes: Vec<Node>,
    // Dropped after the nodes.
    _folder: tempfile::TempDir,
}

impl Nodes {
    fn start(binary: &Path, cluster: &Cluster) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = cluster.new_database();
        let options = ["--database-url", &database];
        let nodes = NODES.iter().map(|name| Node::start(binary, folder.path(), name, &options));
        Ok(Self { nodes: nodes.collect::<Result<_>>()?, _folder: folder })
    }

    fn all(&self) -> Vec<&Node> {
        self.nodes.iter().collect()
    }
}

/// Runs everything, where PostgreSQL is installed.
pub(super) fn run_against(binary: &Path, size: Size) -> Result<()> {
    // It says so itself if there is none.
    let Some(cluster) = Cluster::start() else { return Ok(()) };
    let unharmed = step("torture: three nodes on PostgreSQL", || {
        let mut nodes = Nodes::start(binary, &cluster)?;
        let done = run_command(&mut torture(binary, &nodes.all(), size));
        // A node that gave up tells more than the connections it left.
        nodes.nodes.iter_mut().try_for_each(Node::ensure_alive)?;
        done
    });
    let killed = step("torture: three nodes on PostgreSQL, one killed again and again", || {
        let mut nodes = Nodes::start(binary, &cluster)?;
        let mut tormentor = Running::start(torture(binary, &nodes.all(), size).arg("--fault-expected"))?;
        let mut kills = 0;
        while tormentor.runs_for(BETWEEN_KILLS)? {
            // Each in turn, so that every node was once the one that was left.
            let turn = kills as usize % NODES.len();
            let victim = nodes.nodes.get_mut(turn).context("there are three nodes")?;
            victim.kill()?;
            kills += 1;
            clock::pause(AWAY);
            victim.start_again()?;
        }
        tormentor.succeeded_after(kills)
    });
    let restarted = step("torture: three nodes on PostgreSQL, the database restarted again and again", || {
        let nodes = Nodes::start(binary, &cluster)?;
        let mut tormentor = Running::start(torture(binary, &nodes.all(), size).arg("--fault-expected"))?;
        let mut restarts = 0;
        while tormentor.runs_for(BETWEEN_KILLS)? {
            let end = if restarts % 2 == 0 { Cluster::crash } else { Cluster::stop };
            end(&cluster);
            restarts += 1;
            clock::pause(AWAY);
            cluster.start_again();
        }
        tormentor.succeeded_after(restarts)
    });
    // All of them ran, since each verdict tells something else.
    unharmed.and(killed).and(restarted)
}
