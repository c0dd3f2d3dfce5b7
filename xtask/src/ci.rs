//! `cargo xtask ci`: the gate after the tests. The cheapest steps come first, so that mistakes show early.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::places::{BuildProfile, Workspace};
use crate::step::{cargo, run as run_command, step};
use crate::{
    assertions, check, clock, conformance, docs, fuzz, gateways, left_out, load, mails, monitoring, package, page,
    phones, terminal, tools,
};

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "~0.20.2";
/// The feature with the code for traces.
const TRACES: &str = "countersign/otel";

pub(crate) fn run() -> Result<()> {
    let began = clock::now();
    let places = Workspace::find()?;
    let clients = places.root.join("conformance/Cargo.toml");

    step("format", || {
        run_command(cargo().args(["fmt", "--all", "--", "--check"]))?;
        run_command(cargo().args(["fmt", "--manifest-path"]).arg(&clients).args(["--", "--check"]))
    })?;
    step("lints", || {
        let strictly = ["--all-targets", "--locked", "--", "-D", "warnings"];
        // With traces: only a few lines exist without them, and the tests build those.
        run_command(cargo().args(["clippy", "--workspace", "--features", TRACES]).args(strictly))?;
        run_command(cargo().args(["clippy", "--manifest-path"]).arg(&clients).args(strictly))
    })?;
    step("structure", || check::run(&check::Args::default()))?;
    step("documentation", || {
        let mut doc = cargo();
        doc.args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings");
        run_command(&mut doc)
    })?;
    step("licences, bans, sources", || supply(&places, &clients))?;
    step("conformance runner's own tests", || {
        run_command(cargo().args(["test", "--quiet", "--locked", "--manifest-path"]).arg(&clients))
    })?;
    step("traces", || {
        // Of the whole workspace, so that dependencies keep the features with which the other tests built them.
        let test = ["test", "--workspace", "--quiet", "--locked", "--features", TRACES, "--test", "traces"];
        run_command(cargo().args(test))
    })?;
    step("release build", || places.build(&["countersign"], BuildProfile::Release))?;
    let binary = places.built("countersign", BuildProfile::Release);
    let quick = ["--quick".into(), "--binary".into(), binary.clone().into_os_string()];
    step("benches, right answers only", || {
        load::run("bench", &[&quick[..], &["--as-built".into()]].concat(), BuildProfile::Dev)
    })?;
    step("self-test", || load::run("selftest", &quick, BuildProfile::Dev))?;
    step("pages in a browser", || {
        with("pages in a browser", "chromium, node and npm", page::is_possible(), || page::look(&places, &binary))
    })?;
    step("phones", || {
        let needs = "chromium, firefox-esr, Xvfb, node and npm";
        with("phones", needs, phones::is_possible(), || phones::tell(&places, &binary, None))
    })?;
    step("commands of the documents", || docs::run_blocks(&places, &binary, None))?;
    step("assertions read by others", || assertions::accept(&places))?;
    step("mail read by others", || mails::accept(&places))?;
    step("gateways judged by their makers", || gateways::accept(&places))?;
    step("alerts and dashboard", || {
        let needs = "prometheus, promtool and prometheus-blackbox-exporter";
        with("alerts and dashboard", needs, monitoring::is_possible(), || monitoring::accept(&places, &binary))
    })?;
    step("description fuzzed", || fuzz::run_quickly(&places, &binary))?;
    step("packages", || package::accept(&places, &binary))?;
    step("conformance", || conformance::run_against(&places, &binary, &[]))?;

    terminal::say(&format!("The gate is green after {:.0} s.", began.elapsed().as_secs_f64()));
    Ok(())
}

fn supply(places: &Workspace, clients: &Path) -> Result<()> {
    let deny = tools::installed(places, "cargo-deny", CARGO_DENY)?;
    for manifest in [&places.root.join("Cargo.toml"), clients] {
        let mut command = Command::new(&deny);
        command.args(["--locked", "--manifest-path"]).arg(manifest);
        command.arg("--config").arg(places.root.join("deny.toml"));
        run_command(command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    }
    Ok(())
}

/// Does what needs these programs. Without them it is left out, except in CI.
fn with(what: &str, needs: &str, is_possible: bool, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if is_possible { work() } else { left_out::for_now(what, &format!("it needs {needs}")) }
}
