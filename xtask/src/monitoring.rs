//! `cargo xtask monitoring`: the alert rules and the dashboard in `packaging/monitoring` are judged by Prometheus' own tools, and
//! every expression of theirs by a Prometheus that reads running servers. The scripts are in `xtask/monitoring`.
//!
//! The programs come from Debian's packages, which also start services. The gate needs none of them: it starts its own on free
//! ports, and leaves a service that runs alone.

use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::places::{ServerBinary, Workspace, program};
use crate::python;
use crate::server::{Launch, Mode, Server};
use crate::step::run as run_command;

/// What is to be installed besides Python.
const NEEDED: [&str; 3] = ["promtool", "prometheus", "prometheus-blackbox-exporter"];
/// What the scripts read files and expressions with, in the versions that they are written for.
const READERS: &[&str] = &["PyYAML~=6.0", "promql-parser~=0.12.0"];
/// The token that the second server asks Prometheus for.
const TOKEN: &str = "sample-token-of-the-admin-listener\n";
/// What text messages of the second server cost.
const PRICES: &str =
    "# source: made up\n# as of: 2026-11-30\n# currency: EUR\nprovider,channel,prefix,price\ntwilio,sms,+,90000\n";

pub(crate) fn run(binary: &ServerBinary) -> Result<()> {
    let places = Workspace::find()?;
    accept(&places, &binary.path(&places)?)
}

/// Whether this machine has the programs that the chore needs.
pub(crate) fn is_possible() -> bool {
    NEEDED.iter().all(|name| program(&[name]).is_ok())
}

/// Checks the rules, their tests, the dashboard and the example of a configuration, then all of them with running servers.
pub(crate) fn accept(places: &Workspace, binary: &Path) -> Result<()> {
    for name in NEEDED {
        program(&[name]).with_context(|| format!("install {name}; .ci/run names its package"))?;
    }
    let folder = places.root.join("packaging/monitoring");
    run_command(Command::new("promtool").args(["check", "rules", "alerts.yml"]).current_dir(&folder))?;
    let tests = ["test", "rules", "alerts_test.yml", "alerts_day_test.yml"];
    run_command(Command::new("promtool").args(tests).current_dir(&folder))?;
    // Of the syntax only: the token's file is on the operator's machine.
    let example = ["check", "config", "--syntax-only", "prometheus.yml"];
    run_command(Command::new("promtool").args(example).current_dir(&folder))?;

    let python = python::environment(places, "monitoring-readers", READERS)?;
    let scripts = || {
        let mut command = Command::new(&python);
        // They import each other and what calls the API, and compiled files do not belong into the sources.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", places.root.join("conformance/python"));
        command.arg(places.root.join("xtask/monitoring"));
        command
    };
    run_command(scripts().arg("laws").arg(&places.root))?;

    let rooms = tempfile::Builder::new().prefix("monitoring-").tempdir_in(&places.target)?;
    let room = |name: &str| {
        let path = rooms.path().join(name);
        std::fs::create_dir(&path).map(|()| path).with_context(|| format!("cannot create a folder for {name}"))
    };
    let (at_dev, at_serve, at_prometheus) = (room("dev")?, room("serve")?, room("prometheus")?);
    let outside = free_port()?;
    let mut dev = Server::dev(binary, &at_dev, "")?;
    let mut serve = start_serve(binary, &at_serve, outside)?;
    let world = json!({
        "root": places.root,
        "binary": binary,
        "folder": at_prometheus,
        "dev_folder": at_dev,
        "serve_folder": at_serve,
        "token_file": at_serve.join("token"),
        "outside_port": outside,
    });
    let file = rooms.path().join("world.json");
    std::fs::write(&file, world.to_string()).context("cannot write what the script has to know")?;
    let judged = run_command(scripts().arg("live").arg(&file));
    dev.ensure_alive()?;
    serve.ensure_alive()?;
    judged
}

/// A server with what a dev world lacks: a token for metrics, a gateway that sends receipts, prices, and ceilings that are reached.
fn start_serve(binary: &Path, folder: &Path, outside: u16) -> Result<Server> {
    let token = folder.join("token");
    std::fs::write(&token, TOKEN).context("cannot write the token")?;
    std::fs::set_permissions(&token, Permissions::from_mode(0o600))?;
    std::fs::write(folder.join("prices.csv"), PRICES).context("cannot write the prices")?;
    let config = format!(
        "public_url = 'https://mfa.example.com'\n\
         issuer = 'Example Inc'\n\
         admin_listen = '127.0.0.1:0'\n\
         admin_token_file = 'token'\n\
         [messages]\n\
         countries = ['US']\n\
         spend_per_server = 1000\n\
         spend_per_client = 500\n\
         spend_per_country = 100\n\
         [limits]\n\
         message_interval_seconds = 0\n\
         messages_per_device = 0\n\
         messages_per_client = 16\n\
         [delivery]\n\
         prices_file = 'prices.csv'\n\
         [delivery.twilio]\n\
         account_sid = 'AC00000000000000000000000000000000'\n\
         auth_token = 'sample token'\n\
         from = '+14155550100'\n\
         base_url = 'http://127.0.0.1:{outside}'\n\
         [webhooks]\n\
         allow_private = true\n"
    );
    Launch { binary, folder, mode: Mode::Serve, config: &config, database_url: None, listen: None }.start()
}

/// A port of loopback at which nothing listens. It is in the configuration of the server, so it is chosen before the start.
fn free_port() -> Result<u16> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(bound.local_addr()?.port())
}
