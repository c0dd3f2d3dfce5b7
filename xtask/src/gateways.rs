//! `cargo xtask gateways`: the makers of gateways judge what we send to them and take from them.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::places::Workspace;
use crate::python;
use crate::server::{Launch, Mode};
use crate::step::{cargo, run as run_command};

/// The judges, in the versions that the script is written for.
const JUDGES: &[&str] = &["botocore~=1.44", "moto[server]~=5.2", "twilio~=9.13", "PyJWT~=2.10"];

/// A server that takes receipts. The script knows the address and the secrets.
const SERVER: &str = "public_url = 'https://mfa.example.com'\nadmin_listen = '127.0.0.1:0'\nissuer = 'Example Inc'\n\
    [delivery]\nsms = ['twilio', 'vonage']\n\
    [delivery.twilio]\naccount_sid = 'AC00000000000000000000000000000000'\nauth_token = 'sample token'\nfrom = '+14155550100'\n\
    voice_from = '+14155550100'\n\
    [delivery.vonage]\napi_key = 'key'\napi_secret = 'secret'\nsignature_secret = 'sample signature secret of 32 bytes'\nfrom = 'Example'\n";

pub(crate) fn run() -> Result<()> {
    accept(&Workspace::find()?)
}

/// Checks that they accept our requests, and that a running server takes their receipts and no altered ones.
pub(crate) fn accept(places: &Workspace) -> Result<()> {
    let python = python::environment(places, "gateway-judges", JUDGES)?;
    // Of the whole workspace, so that they are what `cargo test` has built already.
    let build = ["build", "--workspace", "--quiet", "--locked", "--example", "gateway_sample", "--bin", "countersign"];
    run_command(cargo().args(build).current_dir(&places.root))?;
    let debug = places.target.join("debug");
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let launch = Launch {
        binary: &debug.join("countersign"),
        folder: folder.path(),
        mode: Mode::Serve,
        config: SERVER,
        database_url: None,
        listen: None,
    };
    let server = launch.start()?;
    let script = places.root.join("conformance/python/gateways_accept.py");
    let mut judging = Command::new(python);
    judging.arg(script).arg(debug.join("examples/gateway_sample")).arg(server.ready_file());
    run_command(&mut judging)?;
    server.stop()
}
