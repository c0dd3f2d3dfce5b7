//! `cargo xtask phones`: a person goes from an invitation to an approved log-in with their own phone, in real browsers.
//!
//! The server is `countersign serve` as an operator starts it. Firefox gets its messages from a push service that speaks
//! Mozilla's protocol to it and checks what our server posts; Chromium opens them with its own debugging protocol. What only a
//! person with a phone can check is in `docs/internals/phone-checks.md`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::page;
use crate::places::{ServerBinary, Workspace, program};
use crate::python;
use crate::server::{Launch, Mode, command};
use crate::step::{output, run as run_command};
use crate::terminal;

/// What is to be installed besides what the page check needs.
const NEEDED: [&[&str]; 2] = [FIREFOX, &["Xvfb"]];
/// The names of Firefox. The extended support release comes first: its preferences and its protocol change once a year.
const FIREFOX: &[&str] = &["firefox-esr", "firefox"];

/// The generated SDKs for Python in use. Each enrols a phone and asks it, unmodified.
const SDKS: [&str; 2] = ["4.0.1", "3.2.9"];
/// A tool that logs a person in to AWS, unmodified, and its version.
const AWS_TOOL: (&str, &str) = ("onelogin-aws-assume-role", "2.1.1");
/// The role that AWS gives to people here, and its provider.
const AWS_ROLE: &str = "arn:aws:iam::123456789012:role/Developer,arn:aws:iam::123456789012:saml-provider/Countersign";

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    binary: ServerBinary,
    /// Tell only the stories whose name contains this
    #[arg(long, value_name = "TEXT")]
    story: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    let binary = args.binary.path(&places)?;
    tell(&places, &binary, args.story.as_deref())
}

/// Whether this machine has the programs that the chore needs.
pub(crate) fn is_possible() -> bool {
    page::is_possible() && NEEDED.iter().all(|names| program(names).is_ok())
}

/// Tells the stories of phones against a fresh installation.
pub(crate) fn tell(places: &Workspace, binary: &Path, story: Option<&str>) -> Result<()> {
    let workshop = page::packages(places)?;
    let pictures = places.folder("screenshots/phones")?;
    let folder = tempfile::Builder::new().prefix("phones-").tempdir_in(&places.target)?;
    let data = folder.path().join("data");
    // `public_url` and the origin of the push service are in the configuration, so their ports are chosen before the start.
    let [listen, push] = free_addresses()?;
    let messages = folder.path().join("messages.jsonl");
    let config = configuration(listen.port(), push.port(), &messages);
    let client = create_client(binary, &data, "Northfield VPN", &[])?;
    let matching = create_client(binary, &data, "Northfield payroll", &["--number-matching"])?;
    let sdks = SDKS.map(|version| {
        let python = python::environment(places, &format!("sdk-{version}"), &[&format!("onelogin=={version}")])?;
        let client = create_client(binary, &data, &format!("Northfield {version}"), &["--profile", "python4"])?;
        Ok(json!({ "version": version, "python": python, "client": client }))
    });
    let sdks = sdks.into_iter().collect::<Result<Vec<_>>>()?;
    let aws = aws_tool(places, binary, &data)?;
    let launch = Launch {
        binary,
        folder: folder.path(),
        mode: Mode::Serve,
        config: &config,
        database_url: None,
        listen: Some(listen),
    };
    let mut server = launch.start()?;
    let world = json!({
        "base_url": format!("http://localhost:{}", listen.port()),
        "client": client,
        "matching": matching,
        "sdks": sdks,
        "aws": aws,
        "sdk_program": places.root.join("xtask/browser/sdk_push.py"),
        "push_port": push.port(),
        "messages": messages,
        "pictures": pictures,
        "profile": folder.path().join("firefox"),
        "chromium": page::chromium()?,
        "firefox": program(FIREFOX)?,
        "display": program(NEEDED[1])?,
        "story": story,
    });
    let file = folder.path().join("world.json");
    std::fs::write(&file, world.to_string()).context("cannot write what the script has to know")?;
    let mut node = Command::new(program(&["node"])?);
    node.arg(workshop.join("phones.mjs")).arg(&file);
    let told = run_command(node.current_dir(&workshop));
    server.ensure_alive()?;
    told?;
    terminal::say(&format!("Screenshots are in {}.", pictures.display()));
    Ok(())
}

/// The configuration of an operator who tries Countersign on one machine, the push service included. People here do in a minute
/// what others do in a week, so messages to a device are not counted; limits on unanswered prompts stay.
fn configuration(port: u16, push: u16, messages: &Path) -> String {
    format!(
        "public_url = \"http://localhost:{port}\"\n\
         [messages]\n\
         countries = [\"DE\"]\n\
         [limits]\n\
         message_interval_seconds = 0\n\
         messages_per_device = 0\n\
         [push]\n\
         endpoint_origins = [\"http://127.0.0.1:{push}\"]\n\
         allow_private_endpoints = true\n\
         [delivery.file]\n\
         path = \"{}\"\n\
         i_know_that_codes_are_readable = true\n",
        messages.display()
    )
}

/// Two addresses of loopback at which nothing listens.
fn free_addresses() -> Result<[SocketAddr; 2]> {
    let bound = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port");
    // Both are held until both are known.
    let (one, other) = (bound()?, bound()?);
    Ok([one.local_addr()?, other.local_addr()?])
}

/// The tool that logs in to AWS, with the app and the client that it needs: one that may do nothing but authenticate.
fn aws_tool(places: &Workspace, binary: &Path, data: &Path) -> Result<Value> {
    let (name, version) = AWS_TOOL;
    let pins = places.root.join("conformance/python/constraints-aws.txt");
    let package = format!("{name}=={version}");
    let packages =
        ["--constraint", pins.to_str().context("a path that is not text")?, &package, "signxml", "setuptools"];
    Ok(json!({
        "name": format!("{name} {version}"),
        "python": python::environment(places, name, &packages)?,
        "program": places.root.join("xtask/browser/aws_push.py"),
        "app": created(binary, data, &["app", "create", "--name", "AWS", "--aws-role", AWS_ROLE])?,
        "client": created(binary, data, &["client", "create", "--scope", "Authentication Only", "--name", "Northfield AWS"])?,
    }))
}

/// A client that may do everything.
fn create_client(binary: &Path, data: &Path, name: &str, settings: &[&str]) -> Result<Value> {
    let create = ["client", "create", "--init", "--scope", "Manage All", "--name", name];
    created(binary, data, &[&create[..], settings].concat())
}

/// What a command that creates something says.
fn created(binary: &Path, data: &Path, create: &[&str]) -> Result<Value> {
    let said = output(command(binary).args(create).arg("--json").arg("--data-dir").arg(data))?;
    serde_json::from_str(&said).with_context(|| format!("{} said {said}", create.join(" ")))
}
