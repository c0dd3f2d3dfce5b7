//! `cargo xtask assertions`: third-party libraries and tools read our SAML responses.

use std::process::Command;

use anyhow::Result;

use crate::places::Workspace;
use crate::step::{cargo, run as run_command};
use crate::{clock, python};

/// The readers, in the versions that the script is written for.
const READERS: &[&str] = &[
    "signxml~=5.2",
    "pysaml2~=7.5",
    "python3-saml~=1.16",
    "onelogin-aws-cli~=0.1.19",
    "onelogin-aws-assume-role~=2.1.1",
];

pub(crate) fn run() -> Result<()> {
    accept(&Workspace::find()?)
}

/// Checks that they accept a fresh response and refuse altered ones.
pub(crate) fn accept(places: &Workspace) -> Result<()> {
    let python = python::environment(places, "saml-readers", READERS)?;
    let folder = tempfile::Builder::new().prefix("assertions-").tempdir_in(&places.target)?;
    // Of the whole workspace, so that it is the example that `cargo test` has built already.
    let build = ["build", "--workspace", "--quiet", "--locked", "--example", "saml_sample"];
    run_command(cargo().args(build).current_dir(&places.root))?;
    let mut sample = Command::new(places.target.join("debug/examples/saml_sample"));
    run_command(sample.arg(folder.path()).arg(clock::unix_seconds().to_string()))?;
    run_command(Command::new(python).arg(places.root.join("conformance/python/saml_accept.py")).arg(folder.path()))
}
