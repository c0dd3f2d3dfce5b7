//! Every chore of the project, in Rust: `cargo xtask --help`.
//!
//! A chore is one file or folder with one entry point. What several chores need is beside them: paths and builds
//! (`places`), running a command (`step`), starting a server (`server`), and the only places that print (`terminal`) and
//! read the time (`clock`). Those are public: `crates/bench` uses them too.

mod assertions;
mod check;
mod ci;
pub mod clock;
mod conformance;
mod docs;
mod fuzz;
mod gateways;
mod left_out;
mod load;
mod mails;
mod metadata;
mod monitoring;
mod npm;
mod package;
mod page;
mod phones;
pub mod places;
mod python;
pub mod server;
pub mod step;
pub mod terminal;
mod tools;

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
    /// Run the gate after the tests: format, lints, structure, documentation, conformance, self-test, page
    Ci,
    /// Check the rules of structure and supply: layers, dependencies, tests that documents name
    Check(check::Args),
    /// Run unmodified OneLogin clients against the binary; print the matrix client × step
    Conformance(conformance::Args),
    /// Check that third-party libraries and tools accept our SAML responses
    Assertions,
    /// Check that third-party libraries and tools accept our mail
    Mails,
    /// Check that the makers of gateways accept our requests to them, and that we take their receipts
    Gateways,
    /// Check the alert rules and the dashboard against a Prometheus that reads running servers
    Monitoring(places::ServerBinary),
    /// Make the packages: .deb, container image, list of components, licences, checksums; and use them as an operator does
    Package(package::Args),
    /// Make the packages of a release, make them again to compare, and use them
    Release(package::ReleaseArgs),
    /// Check the documents: run every command, follow every link, find every page in the index
    Docs(docs::Args),
    /// Fuzz the dev world with schemathesis, by its `OpenAPI` description
    Fuzz(fuzz::Args),
    /// Measure the table of performance targets against ceilings of the same machine
    #[command(disable_help_flag = true)]
    Bench(load::Args),
    /// Check the dev outbox and all pages in a real browser
    Page(places::ServerBinary),
    /// Go from an invitation to an approved log-in in real browsers, with real push
    Phones(phones::Args),
    /// Run the self-test against servers, undisturbed and while they are being killed
    #[command(alias = "torture", disable_help_flag = true)]
    Selftest(load::Args),
    /// Fail a PostgreSQL cluster over under load: nothing acknowledged is lost
    #[command(disable_help_flag = true)]
    Ha(load::Args),
}

/// Runs the chore that the command line names.
pub fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Ci => ci::run(),
        Chore::Check(args) => check::run(&args),
        Chore::Conformance(args) => conformance::run(&args),
        Chore::Assertions => assertions::run(),
        Chore::Mails => mails::run(),
        Chore::Gateways => gateways::run(),
        Chore::Monitoring(args) => monitoring::run(&args),
        Chore::Package(args) => package::run(&args),
        Chore::Release(args) => package::release(&args),
        Chore::Docs(args) => docs::run(&args),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Bench(args) => load::bench(&args),
        Chore::Page(args) => page::run(&args),
        Chore::Phones(args) => phones::run(&args),
        Chore::Selftest(args) => load::selftest(&args),
        Chore::Ha(args) => load::ha(&args),
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
