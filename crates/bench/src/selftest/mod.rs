//! `cargo xtask selftest`: runs the self-test command against fresh installations, undisturbed and while they are being
//! killed, and fails on any violation (decision 38).

mod postgres;
mod run;
mod sqlite;
mod versions;

use std::path::PathBuf;

use anyhow::Result;
use xtask::places::{BuildProfile, Workspace};

use run::Size;

/// A full run.
const FULL: Size = Size { rounds: 10_000, guesses: 1_000 };
/// A short run, for CI.
const QUICK: Size = Size { rounds: 300, guesses: 1_000 };
/// A short run on PostgreSQL, with three nodes and slower commits.
const QUICK_POSTGRES: Size = Size { rounds: 150, guesses: 1_000 };

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
    /// Instead: nodes of another version, which this binary is, beside those of this one, and replaced by them
    #[arg(long, value_name = "PATH", conflicts_with = "only")]
    upgrade_from: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let binary = Workspace::find()?.server_or(args.binary.as_deref(), BuildProfile::Release)?;
    let (sqlite, postgres) = if args.quick { (QUICK, QUICK_POSTGRES) } else { (FULL, FULL) };
    if let Some(before) = &args.upgrade_from {
        return versions::run(before, &binary, postgres);
    }
    match args.only {
        Some(Database::Sqlite) => sqlite::run(&binary, sqlite),
        Some(Database::Postgres) => postgres::run(&binary, postgres),
        None => sqlite::run(&binary, sqlite).and(postgres::run(&binary, postgres)),
    }
}
