//! `cargo xtask bench`, `selftest` and `ha` start the programs of `crates/bench`. Those need HTTP, a runtime and a
//! database driver, which the other chores are not compiled with.

use std::ffi::OsString;

use anyhow::Result;

use crate::places::{BuildProfile, Workspace};
use crate::step::{self, cargo};

/// The arguments of the program, `--help` among them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    args: Vec<OsString>,
}

/// Measurements need optimisation: without it, the load program would limit what it measures.
pub(crate) fn bench(args: &Args) -> Result<()> {
    let measures = !args.args.iter().any(|arg| ["--as-built", "--help", "-h"].contains(&&*arg.to_string_lossy()));
    run("bench", &args.args, if measures { BuildProfile::Release } else { BuildProfile::Dev })
}

pub(crate) fn selftest(args: &Args) -> Result<()> {
    run("selftest", &args.args, BuildProfile::Dev)
}

pub(crate) fn ha(args: &Args) -> Result<()> {
    run("ha", &args.args, BuildProfile::Dev)
}

/// Builds and runs a program of `crates/bench`.
pub(crate) fn run(program: &str, args: &[OsString], profile: BuildProfile) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "countersign-bench"]);
    if profile == BuildProfile::Release {
        command.arg("--release");
    }
    command.arg("--").arg(program).args(args);
    step::run(command.current_dir(Workspace::find()?.root))
}
