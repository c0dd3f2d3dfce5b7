//! Programs that load a running server: the benches, the self-test runs and the failover run. `cargo xtask` starts them,
//! so that its other chores need not be compiled with them.
//!
//! Benches measure ratios against a ceiling in the same run, because absolute numbers of a shared machine change with the
//! hour. They fail on a wrong answer, never on a slow one. `suite` runs the table of targets, one file of `rows` for each.
//! A `fixture` gives each row its installations and servers; their devices come from a `population`. A `workload` makes
//! requests and checks answers; a `driver` sends them as fast as answers come, a `pace` at a constant rate. `compare`
//! measures servers in alternating windows: Countersign, and the yardsticks `echo` and `sketch`, each in a `helper` process. Each result is a `row`; all rows are the `report`.

mod clock;
mod compare;
mod device;
mod driver;
mod echo;
mod enrol;
mod fixture;
mod gateway;
mod ha;
mod helper;
mod machine;
mod node;
mod open_files;
mod pace;
mod population;
mod process;
mod report;
mod row;
mod rows;
mod selftest;
mod sketch;
mod stats;
mod suite;
mod verify;
mod wire;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::terminal;

/// Load programs of Countersign.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    /// Measure the table of performance targets against ceilings of the same machine
    Bench(Box<BenchArgs>),
    /// Run the self-test against servers, undisturbed and while they are being killed
    Selftest(selftest::Args),
    /// Fail a PostgreSQL cluster over under load: nothing acknowledged is lost
    Ha(ha::Args),
    /// Serve the ceiling that benches compare with: bare hyper
    #[command(hide = true)]
    EchoServer(echo::Args),
    /// Serve the second yardstick: a sketch of a server that verifies durably and does nothing else
    #[command(hide = true)]
    SketchServer(sketch::Args),
}

#[derive(Debug, clap::Args)]
// Without an id this group and the flattened one would have the same name, which clap refuses.
#[group(id = "bench")]
#[command(args_conflicts_with_subcommands = true)]
struct BenchArgs {
    #[command(subcommand)]
    one: Option<One>,
    #[command(flatten)]
    suite: suite::Args,
}

#[derive(Debug, Subcommand)]
enum One {
    /// Verify HOTP codes, each accepted once, against a bare hyper echo server
    Verify(verify::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().program {
        Program::Bench(args) => match args.one {
            Some(One::Verify(args)) => verify::run(&args),
            None => suite::run(&args.suite),
        },
        Program::Selftest(args) => selftest::run(&args),
        Program::Ha(args) => ha::run(&args),
        Program::EchoServer(args) => echo::run(&args),
        Program::SketchServer(args) => sketch::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::remark(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
