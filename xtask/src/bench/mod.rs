//! Load programs. They measure ratios against a ceiling in the same run, since absolute numbers of a shared machine
//! move with the hour, and they judge correctness: what a bench may fail on is a wrong answer, never a slow one.

pub(crate) mod device;
pub(crate) mod echo;
pub(crate) mod enrol;
mod lane;
mod process;
mod report;
mod verify;
pub(crate) mod wire;

use anyhow::Result;
use clap::Subcommand;

/// The load programs.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// HOTP verifications, each code accepted once, against a bare hyper echo server
    Verify(verify::Args),
}

/// Runs a load program.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Verify(args) => verify::run(args),
    }
}
