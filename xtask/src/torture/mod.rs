//! `cargo xtask torture`: runs `countersign torture` against installations of its own, unharmed and while they are
//! being killed, and fails on any violation (rulings 38).

mod node;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::places::{Places, Profile};
use crate::step::{run as run_command, step};
use crate::{clock, terminal};
use node::Node;

/// Rounds by which an issue is closed (rulings 39).
const ROUNDS: u64 = 10_000;
/// Rounds that CI has time for.
const QUICK_ROUNDS: u64 = 300;
/// Time from a start to the next kill: long enough for the volleys to be under way again.
const BETWEEN_KILLS: Duration = Duration::from_millis(1_700);
/// How long a killed node stays away.
const AWAY: Duration = Duration::from_millis(300);

/// What can be asked of the chore.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A few hundred rounds instead of 10,000
    #[arg(long)]
    quick: bool,
    /// A binary that exists already
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// The chore.
pub(crate) fn run(args: &Args) -> Result<()> {
    let binary = Places::find()?.server_or(args.binary.as_deref(), Profile::Release)?;
    run_against(&binary, args.quick)
}

/// Every installation this machine has what it takes for.
pub(crate) fn run_against(binary: &Path, quick: bool) -> Result<()> {
    let rounds = if quick { QUICK_ROUNDS } else { ROUNDS };
    step("torture: one node on SQLite", || {
        let folder = tempfile::tempdir()?;
        let node = Node::start(binary, folder.path(), "node", &[])?;
        run_command(&mut torture(binary, &[&node], rounds))
    })?;
    step("torture: one node on SQLite, killed again and again", || {
        let folder = tempfile::tempdir()?;
        let mut node = Node::start(binary, folder.path(), "node", &[])?;
        let mut tormentor = Running::start(torture(binary, &[&node], rounds).arg("--fault-expected"))?;
        let mut kills = 0;
        while tormentor.runs_for(BETWEEN_KILLS)? {
            node.kill()?;
            kills += 1;
            clock::pause(AWAY);
            node.start_again()?;
        }
        terminal::say(&format!("The node was killed {kills} times."));
        ensure!(kills > 0, "the run was over before the first kill; give it more rounds");
        tormentor.succeeded()
    })
}

/// The command that tortures these nodes as the client of the first one's ready file.
fn torture(binary: &Path, nodes: &[&Node], rounds: u64) -> Command {
    let mut command = Command::new(binary);
    command.arg("torture").args(["--rounds", &rounds.to_string()]);
    for node in nodes {
        command.arg("--url").arg(node.url());
    }
    // All nodes of one world have the same clients.
    command.args(nodes.first().map(|node| format!("--ready-file={}", node.ready_file().display())));
    command
}

/// A torture under way, ended with the chore.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).spawn().context("cannot start the torture")?))
    }

    /// Whether it still runs after this time.
    fn runs_for(&mut self, time: Duration) -> Result<bool> {
        let began = clock::now();
        while began.elapsed() < time {
            if self.0.try_wait()?.is_some() {
                return Ok(false);
            }
            clock::pause(Duration::from_millis(20));
        }
        Ok(true)
    }

    fn succeeded(mut self) -> Result<()> {
        let status = self.0.wait()?;
        ensure!(status.success(), "the torture ended with {status}");
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
