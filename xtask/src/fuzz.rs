//! `cargo xtask fuzz`: schemathesis against a dev world, by its `/openapi.json`. No answer may be a server error, and every
//! answer must be described there.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::places::{ServerBinary, Workspace};
use crate::python;
use crate::server::Server;
use crate::step::run as run_command;

/// The fuzzer, in the version that the script is written for.
const SCHEMATHESIS: &str = "schemathesis~=4.32.5";
/// Cases for each operation and phase, in the gate.
const QUICK: &str = "12";

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    binary: ServerBinary,
    /// Cases for each operation and phase
    #[arg(long, default_value = "100")]
    cases: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    let binary = args.binary.path(&places)?;
    fuzz(&places, &binary, &args.cases)
}

/// A short run, for the gate.
pub(crate) fn run_quickly(places: &Workspace, binary: &Path) -> Result<()> {
    fuzz(places, binary, QUICK)
}

fn fuzz(places: &Workspace, binary: &Path, cases: &str) -> Result<()> {
    let python = python::environment(places, "schemathesis", &[SCHEMATHESIS])?;
    let folder = tempfile::Builder::new().prefix("fuzz-").tempdir_in(&places.target)?;
    let mut server = Server::dev(binary, folder.path(), "")?;
    run_command(
        Command::new(python)
            .arg(places.root.join("conformance/python/fuzz.py"))
            .arg(server.ready_file())
            .args(["--max-examples", cases, "--phases", "coverage,fuzzing", "--request-timeout", "20", "--no-color"])
            .current_dir(folder.path()),
    )?;
    server.ensure_alive()
}
