//! `cargo xtask selftest`: runs the self-test command against fresh installations, undisturbed and while they are
//! being killed, and fails on any violation (ruling 38).

pub(crate) mod node;
mod postgres;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::places::{Places, Profile};
use crate::step::{run as run_command, step};
use crate::{clock, terminal};
use node::Node;

/// How much the self-test sends.
#[derive(Debug, Clone, Copy)]
struct Size {
    rounds: u64,
    guesses: u64,
}

/// A full run.
const FULL: Size = Size { rounds: 10_000, guesses: 1_000 };
/// A short run, for CI.
const QUICK: Size = Size { rounds: 300, guesses: 1_000 };
/// A short run on PostgreSQL, with three nodes and slower commits.
const QUICK_POSTGRES: Size = Size { rounds: 150, guesses: 1_000 };
/// Time from a start to the next kill: long enough for the load to run again.
const BETWEEN_KILLS: Duration = Duration::from_millis(1_700);
/// Time that a killed node stays down.
const AWAY: Duration = Duration::from_millis(300);

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A few hundred rounds instead of 10,000
    #[arg(long)]
    quick: bool,
    /// On this database alone
    #[arg(long, value_enum, value_name = "DATABASE")]
    only: Option<Database>,
    /// A binary that exists already
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// The database of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

/// The chore.
pub(crate) fn run(args: &Args) -> Result<()> {
    let binary = Places::find()?.server_or(args.binary.as_deref(), Profile::Release)?;
    let (sqlite, postgres) = if args.quick { (QUICK, QUICK_POSTGRES) } else { (FULL, FULL) };
    match args.only {
        Some(Database::Sqlite) => on_sqlite(&binary, sqlite),
        Some(Database::Postgres) => postgres::run_against(&binary, postgres),
        None => on_sqlite(&binary, sqlite).and(postgres::run_against(&binary, postgres)),
    }
}

/// A short run on every database of this machine.
pub(crate) fn run_quickly(binary: &Path) -> Result<()> {
    on_sqlite(binary, QUICK)?;
    postgres::run_against(binary, QUICK_POSTGRES)
}

fn on_sqlite(binary: &Path, size: Size) -> Result<()> {
    step("self-test: one node on SQLite", || {
        let folder = tempfile::tempdir()?;
        let mut node = Node::start(binary, folder.path(), "node", &[])?;
        let done = run_command(&mut selftest(binary, &[&node], size));
        node.ensure_alive()?;
        done
    })?;
    step("self-test: one node on SQLite, killed again and again", || {
        let folder = tempfile::tempdir()?;
        let mut node = Node::start(binary, folder.path(), "node", &[])?;
        let mut run = Running::start(selftest(binary, &[&node], size).arg("--fault-expected"))?;
        let mut kills = 0;
        while run.runs_for(BETWEEN_KILLS)? {
            node.kill()?;
            kills += 1;
            clock::pause(AWAY);
            node.start_again()?;
        }
        run.succeeded_after(kills)
    })
}

/// The self-test command against these nodes, with the client of the first node's ready file.
fn selftest(binary: &Path, nodes: &[&Node], size: Size) -> Command {
    let mut command = Command::new(binary);
    command.args(["torture", "--rounds", &size.rounds.to_string(), "--guesses", &size.guesses.to_string()]);
    for node in nodes {
        command.arg("--url").arg(node.url());
    }
    // All nodes of one world have the same clients.
    command.args(nodes.first().map(|node| format!("--ready-file={}", node.ready_file().display())));
    command
}

/// A running self-test, killed when dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).spawn().context("cannot start the self-test")?))
    }

    /// Waits for this time, or until it ends. Returns whether it still runs.
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

    fn succeeded_after(mut self, faults: u32) -> Result<()> {
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
