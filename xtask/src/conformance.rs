//! `cargo xtask conformance`: builds the binary and starts the runner in `conformance/`. The runner is a separate
//! workspace, so that the clients it installs stay out of the product's build.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::places::{BuildProfile, Workspace};
use crate::step::{self, cargo};

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Build and run the release profile
    #[arg(long)]
    release: bool,
    /// Use this binary instead of building one
    #[arg(long, value_name = "PATH", conflicts_with = "release")]
    binary: Option<PathBuf>,
    /// Options of the runner, after `--`: for instance `--write docs/reference/compatibility.md` or `--only 4.0.1/python4`
    #[arg(last = true)]
    runner: Vec<OsString>,
}

/// Runs the clients.
pub(crate) fn run_against(places: &Workspace, binary: &Path, runner: &[OsString]) -> Result<()> {
    let manifest = places.root.join("conformance/Cargo.toml");
    step::run(
        cargo()
            .args(["run", "--quiet", "--locked", "--manifest-path"])
            .arg(manifest)
            .args(["--", "--binary"])
            .arg(binary)
            .args(runner)
            .current_dir(&places.root),
    )
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    let profile = if args.release { BuildProfile::Release } else { BuildProfile::Dev };
    let binary = places.server_or(args.binary.as_deref(), profile)?;
    run_against(&places, &binary, &args.runner)
}
