//! Three nodes on one PostgreSQL: undisturbed, with one node killed, and with the database restarted.

use std::path::Path;

use anyhow::{Context as _, Result};
use pgtest::Cluster;
use xtask::step::step;

use super::run::{AWAY, BETWEEN_FAULTS, NODES, Nodes, Running, Size, command};
use crate::clock;

/// Runs all of them, if PostgreSQL is installed.
pub(super) fn run(binary: &Path, size: Size) -> Result<()> {
    // It prints a message itself if there is none.
    let Some(cluster) = Cluster::start() else { return Ok(()) };
    let unharmed =
        step("self-test: three nodes on PostgreSQL", || Nodes::start([binary; NODES], &cluster)?.test(binary, size));
    let killed = step("self-test: three nodes on PostgreSQL, one killed again and again", || {
        let mut nodes = Nodes::start([binary; NODES], &cluster)?;
        let mut run = Running::start(command(binary, &nodes.all(), size).arg("--fault-expected"))?;
        let mut kills = 0;
        while run.runs_for(BETWEEN_FAULTS)? {
            // Kill the nodes in turn.
            let turn = kills as usize % NODES;
            let victim = nodes.nodes.get_mut(turn).context("there are three nodes")?;
            victim.kill()?;
            kills += 1;
            clock::pause(AWAY);
            victim.start_again()?;
        }
        run.succeeded_after(kills)
    });
    let restarted = step("self-test: three nodes on PostgreSQL, the database restarted again and again", || {
        let nodes = Nodes::start([binary; NODES], &cluster)?;
        let mut run = Running::start(command(binary, &nodes.all(), size).arg("--fault-expected"))?;
        let mut restarts = 0;
        while run.runs_for(BETWEEN_FAULTS)? {
            let end = if restarts % 2 == 0 { Cluster::crash } else { Cluster::stop };
            end(&cluster);
            restarts += 1;
            clock::pause(AWAY);
            cluster.start_again();
        }
        run.succeeded_after(restarts)
    });
    // Run all three before failing: each result says something else.
    unharmed.and(killed).and(restarted)
}
