//! One node on SQLite: undisturbed, and killed again and again.

use std::path::Path;

use anyhow::Result;
use xtask::step::{run as run_command, step};

use super::run::{AWAY, BETWEEN_FAULTS, Running, Size, command};
use crate::clock;
use crate::node::Node;

pub(super) fn run(binary: &Path, size: Size) -> Result<()> {
    step("self-test: one node on SQLite", || {
        let folder = tempfile::tempdir()?;
        let mut node = Node::start(binary, folder.path(), "node", &[])?;
        let done = run_command(&mut command(binary, &[&node], size));
        node.ensure_alive()?;
        done
    })?;
    step("self-test: one node on SQLite, killed again and again", || {
        let folder = tempfile::tempdir()?;
        let mut node = Node::start(binary, folder.path(), "node", &[])?;
        let mut run = Running::start(command(binary, &[&node], size).arg("--fault-expected"))?;
        let mut kills = 0;
        while run.runs_for(BETWEEN_FAULTS)? {
            node.kill()?;
            kills += 1;
            clock::pause(AWAY);
            node.start_again()?;
        }
        run.succeeded_after(kills)
    })
}
