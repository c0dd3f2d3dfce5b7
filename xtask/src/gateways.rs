//! `cargo xtask gateways`: the makers of gateways judge what we send to them and take from them.

use std::process::Command;

use anyhow::Result;

use crate::places::Workspace;
use crate::python;
use crate::step::{cargo, run as run_command};

/// The judges, in the versions that the script is written for.
const JUDGES: &[&str] = &["botocore~=1.44", "moto[server]~=5.2", "twilio~=9.13"];

pub(crate) fn run() -> Result<()> {
    accept(&Workspace::find()?)
}

/// Checks that they accept our requests, and that we take their receipts and no altered ones.
pub(crate) fn accept(places: &Workspace) -> Result<()> {
    let python = python::environment(places, "gateway-judges", JUDGES)?;
    // Of the whole workspace, so that it is the example that `cargo test` has built already.
    let build = ["build", "--workspace", "--quiet", "--locked", "--example", "gateway_sample"];
    run_command(cargo().args(build).current_dir(&places.root))?;
    let script = places.root.join("conformance/python/gateways_accept.py");
    run_command(Command::new(python).arg(script).arg(places.target.join("debug/examples/gateway_sample")))
}
