//! Every chore of the project, in Rust: `cargo xtask --help`.
//!
//! A chore is one file (or folder) with one entry point. What several chores need stands beside them: where things lie
//! (`places`), running a command (`step`), a server to try something on (`server`), and the homes of printing
//! (`terminal`) and time (`clock`).

mod assertions;
mod bench;
mod check;
mod ci;
mod clock;
mod conformance;
mod docs;
mod fuzz;
mod ha;
mod metadata;
mod open_files;
mod page;
mod places;
mod python;
mod selftest;
mod server;
mod step;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of Countersign.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// The gate behind the tests: format, lints, structure, documentation, conformance, correctness under load, page
    Ci,
    /// The laws of structure and supply: layers, dependencies, licences, sources
    Check(check::Args),
    /// Unmodified OneLogin clients against the binary; prints the matrix client × step
    Conformance(conformance::Args),
    /// What libraries and tools of others make of SAML responses
    Assertions,
    /// The documents: every command in them runs, every link leads somewhere, every page stands in the index
    Docs(docs::Args),
    /// Schemathesis against the dev world, by its own description
    Fuzz(fuzz::Args),
    /// The table of performance targets, measured against ceilings of the same machine
    Bench(bench::Args),
    /// The dev outbox's page in a real browser
    Page(page::Args),
    /// Run the self-test against servers, undisturbed and while they are being killed
    #[command(alias = "torture")]
    Selftest(selftest::Args),
    /// Fail-over of a PostgreSQL cluster under load: nothing acknowledged is lost
    Ha(ha::Args),
    /// The ceiling that benches compare with: bare hyper
    #[command(hide = true)]
    EchoServer(bench::echo::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Ci => ci::run(),
        Chore::Check(args) => check::run(&args),
        Chore::Conformance(args) => conformance::run(&args),
        Chore::Assertions => assertions::run(),
        Chore::Docs(args) => docs::run(&args),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::Page(args) => page::run(&args),
        Chore::Selftest(args) => selftest::run(&args),
        Chore::Ha(args) => ha::run(&args),
        Chore::EchoServer(args) => bench::echo::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::remark(&format!("xtask: {error:#}"));
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
