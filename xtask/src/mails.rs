//! `cargo xtask mails`: third-party libraries and tools receive and read our mail.

use std::process::Command;

use anyhow::Result;

use crate::places::Workspace;
use crate::python;
use crate::step::{cargo, run as run_command};

/// The readers, in the versions that the script is written for.
const READERS: &[&str] = &["dkimpy~=1.1.8", "PyNaCl~=1.6", "aiosmtpd~=1.4.6"];

pub(crate) fn run() -> Result<()> {
    accept(&Workspace::find()?)
}

/// Checks that they accept fresh mails and refuse altered ones.
pub(crate) fn accept(places: &Workspace) -> Result<()> {
    let python = python::environment(places, "mail-readers", READERS)?;
    // Of the whole workspace, so that it is the example that `cargo test` has built already.
    let build = ["build", "--workspace", "--quiet", "--locked", "--example", "mail_sample"];
    run_command(cargo().args(build).current_dir(&places.root))?;
    let script = places.root.join("conformance/python/mail_accept.py");
    run_command(Command::new(python).arg(script).arg(places.target.join("debug/examples/mail_sample")))
}
