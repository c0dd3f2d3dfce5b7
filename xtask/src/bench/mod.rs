//! Load programs. They measure ratios against a ceiling in the same run, since absolute numbers of a shared machine
//! move with the hour, and they judge correctness: what a bench may fail on is a wrong answer, never a slow one.
//!
//! `suite` runs the table of targets, each a file of `rows`, in a `fixture` that gives it installations with people in
//! them (`population`). What is sent is an `workload`; how it is sent is a `lane` (as fast as answers come) or a `pace` (so
//! many a second); two sides are measured in turn (`alternate`). What comes of it is a `row`, and all rows a `report`.

mod compare;
pub(crate) mod device;
mod driver;
pub(crate) mod echo;
pub(crate) mod enrol;
mod fixture;
mod machine;
mod pace;
mod population;
mod process;
mod report;
mod row;
mod rows;
mod stats;
mod suite;
mod verify;
pub(crate) mod wire;
mod workload;

use anyhow::Result;
use clap::Subcommand;

/// The load programs.
#[derive(Debug, clap::Args)]
// The suite's arguments, flattened into these, have the same name: two groups of one name are an error of the parser.
#[group(id = "bench")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    one: Option<One>,
    #[command(flatten)]
    suite: suite::Args,
}

#[derive(Debug, Subcommand)]
enum One {
    /// HOTP verifications, each code accepted once, against a bare hyper echo server
    Verify(verify::Args),
}

/// Runs a load program, or all that the table of targets asks for.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.one {
        Some(One::Verify(args)) => verify::run(args),
        None => suite::run(&args.suite),
    }
}
