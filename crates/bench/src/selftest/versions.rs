//! Nodes of two versions on one PostgreSQL: beside each other, and each replaced while callers go on.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use pgtest::Cluster;
use xtask::step::step;

use super::run::{AWAY, BETWEEN_FAULTS, NODES, Nodes, Running, Size, command};
use crate::clock;

/// Runs all of them, if PostgreSQL is installed. The self-test is the one of the version before: its callers know nothing newer.
pub(super) fn run(before: &Path, after: &Path, size: Size) -> Result<()> {
    let Some(cluster) = Cluster::start() else { return Ok(()) };
    let beside = step("self-test: one node of the version before beside two new ones", || {
        Nodes::start([before, after, after], &cluster)?.test(before, size)
    });
    let last = step("self-test: two nodes of the version before beside a new one", || {
        Nodes::start([before, before, after], &cluster)?.test(before, size)
    });
    let replaced = step("self-test: three nodes of the version before, replaced in turn by the new one", || {
        let mut nodes = Nodes::start([before; NODES], &cluster)?;
        let mut run = Running::start(command(before, &nodes.all(), size).arg("--fault-expected"))?;
        let mut replaced = 0;
        while (replaced as usize) < NODES && run.runs_for(BETWEEN_FAULTS)? {
            nodes.nodes.get_mut(replaced as usize).context("there are three nodes")?.replace(after)?;
            replaced += 1;
            clock::pause(AWAY);
        }
        ensure!(replaced as usize == NODES, "the run ended before every node was replaced; give it more rounds");
        run.succeeded_after(replaced)
    });
    beside.and(last).and(replaced)
}
