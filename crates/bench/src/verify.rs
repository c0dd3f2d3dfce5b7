//! `cargo xtask bench verify`: valid HOTP codes, each accepted once, against bare hyper in alternating windows of the same
//! run. It fails on a wrong answer and never on a slow one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use xtask::places::{BuildProfile, Workspace};
use xtask::server::Server;
use xtask::terminal;

use crate::clock;
use crate::compare::{Load, Runner, compare};
use crate::device::Device;
use crate::driver;
use crate::echo::{AnswerSize, Echo};
use crate::enrol::{self, Wanted};
use crate::process;
use crate::workload::{Codes, Traffic};

/// Connections that a server as shipped grants one address, with some left over for our own.
const SHIPPED_CONNECTIONS: usize = 990;

/// Wrong guesses at each user at the end of a run: far below any lock.
const GUESSES_PER_USER: usize = 2;

/// The arguments of `cargo xtask bench verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Numbers of kept-alive connections
    #[arg(long, value_delimiter = ',', default_value = "64,256")]
    connections: Vec<usize>,
    /// Seconds of one window
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Windows of each server at each number of connections, in alternation
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Number of HOTP devices
    #[arg(long, default_value_t = 4_000)]
    devices: usize,
    /// Devices of one user, at most 20
    #[arg(long, default_value_t = 2)]
    per_user: usize,
    /// Threads of Countersign that answer requests; 0 as it is shipped, one per core
    #[arg(long, default_value_t = 0)]
    server_threads: usize,
    /// Threads of the ceiling
    #[arg(long, default_value_t = 1)]
    echo_threads: usize,
    /// Send each code a second time at once, which must be refused
    #[arg(long)]
    replay: bool,
    /// For CI: a few seconds, replays included; about right answers only
    #[arg(long, conflicts_with_all = ["connections", "seconds", "pairs", "devices", "per_user", "replay"])]
    quick: bool,
    /// A binary that exists already
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Another build of Countersign to be compared with, in place of bare hyper
    #[arg(long, value_name = "PATH", conflicts_with = "echo_threads")]
    against: Option<PathBuf>,
}

/// The parameters of a run.
struct Plan {
    connections: Vec<usize>,
    window: Duration,
    pairs: usize,
    wanted: Wanted,
    traffic: Traffic,
    server_threads: usize,
    echo_threads: usize,
}

impl Args {
    fn plan(&self) -> Result<Plan> {
        let full = Plan {
            connections: self.connections.clone(),
            window: Duration::try_from_secs_f64(self.seconds)?,
            pairs: self.pairs,
            wanted: Wanted { devices: self.devices, per_user: self.per_user },
            traffic: if self.replay { Traffic::FreshThenSpent } else { Traffic::Fresh },
            server_threads: self.server_threads,
            echo_threads: self.echo_threads,
        };
        let plan = if self.quick {
            Plan {
                connections: vec![64],
                window: Duration::from_secs(2),
                pairs: 1,
                wanted: Wanted { devices: 400, per_user: 20 },
                traffic: Traffic::FreshThenSpent,
                ..full
            }
        } else {
            full
        };
        let most = plan.connections.iter().copied().max().unwrap_or(0);
        ensure!(!plan.connections.contains(&0) && plan.pairs > 0, "nothing to do");
        ensure!((1..=20).contains(&plan.wanted.per_user), "a user has 1 to 20 devices");
        ensure!(most <= plan.wanted.devices, "{most} connections need as many devices: one request in flight each");
        Ok(plan)
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let plan = args.plan()?;
    let places = Workspace::find()?;
    let binary = places.server_or(args.binary.as_deref(), BuildProfile::Release)?;
    // On the disk that builds use, since a file system in memory would make every sync free.
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&places.target)?;
    let violations = match &args.against {
        Some(other) => compare_builds(&plan, (&binary, other), folder.path())?,
        None => Bench::prepare(&plan, &binary, folder.path())?.measure()?,
    };
    if violations.is_empty() {
        terminal::say("Every fresh code was accepted, every spent one refused.");
        return Ok(());
    }
    for violation in violations.iter().take(10) {
        terminal::say(&format!("VIOLATION {violation}"));
    }
    bail!("{} violations", violations.len())
}

/// A running build with a separate database, and the devices to drive it with.
struct Build {
    server: Server,
    devices: Vec<Device>,
}

impl Build {
    fn start(plan: &Plan, runner: &Runner, binary: &Path, home: &Path) -> Result<Self> {
        std::fs::create_dir(home)?;
        let server = Server::dev(binary, home, &configuration(plan))?;
        let devices = runner.runtime.block_on(enrol::enrol(server.address()?, server.manager()?, plan.wanted))?;
        Ok(Self { server, devices })
    }

    fn load(&mut self, plan: &Plan, connections: usize) -> Result<Load<Codes>> {
        let workloads = Codes::shared(std::mem::take(&mut self.devices), connections, plan.traffic);
        Ok(Load::new(self.server.address()?, self.server.pid(), workloads))
    }
}

/// Compares two builds in alternating windows. Returns the violations.
fn compare_builds(plan: &Plan, (binary, against): (&Path, &Path), folder: &Path) -> Result<Vec<String>> {
    let mut runner = Runner::new()?;
    let mut own = Build::start(plan, &runner, binary, &folder.join("this"))?;
    let mut other = Build::start(plan, &runner, against, &folder.join("that"))?;
    for &connections in &plan.connections {
        let mut loads = (own.load(plan, connections)?, other.load(plan, connections)?);
        let comparison = compare(&mut runner, (plan.pairs, plan.window), &mut loads.0, &mut [&mut loads.1])?;
        own.devices = Codes::gathered(loads.0.workloads);
        other.devices = Codes::gathered(loads.1.workloads);
        for line in comparison.raw(&format!("\n{connections} connections"), "this build", &["that build"]) {
            terminal::say(&line);
        }
        terminal::say(&format!("  ratio        {:>24}", comparison.ratio()));
    }
    own.server.ensure_alive()?;
    other.server.ensure_alive()?;
    Ok(runner.results.violations)
}

/// Both servers, and the devices to drive them with.
struct Bench<'a> {
    plan: &'a Plan,
    runner: Runner,
    server: Server,
    echo: Echo,
    devices: Vec<Device>,
}

impl<'a> Bench<'a> {
    fn prepare(plan: &'a Plan, binary: &Path, folder: &Path) -> Result<Self> {
        let runner = Runner::new()?;
        let server = Server::dev(binary, folder, &configuration(plan))?;
        let address = server.address()?;
        let began = clock::now();
        let mut devices = runner.runtime.block_on(enrol::enrol(address, server.manager()?, plan.wanted))?;
        terminal::say(&format!(
            "{} HOTP devices, {} a user, enrolled through the API in {:.1} s.",
            devices.len(),
            plan.wanted.per_user,
            began.elapsed().as_secs_f64()
        ));
        let first = devices.first_mut().context("there are devices")?;
        let echo = Echo::like(&runner.runtime, address, (first.fresh(), 200), plan.echo_threads)?;
        let threads = |threads| match threads {
            0 => "one thread per core".to_owned(),
            1 => "one thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        let AnswerSize { head_bytes, body_bytes } = echo.size;
        terminal::say(&format!(
            "Answers of {head_bytes} + {body_bytes} bytes. Countersign: {}, as shipped a durable commit before each answer. \
             Bare hyper: {}.",
            threads(plan.server_threads),
            threads(plan.echo_threads),
        ));
        Ok(Self { plan, runner, server, echo, devices })
    }

    /// Runs all windows and prints the tables. Returns the violations.
    fn measure(mut self) -> Result<Vec<String>> {
        let (address, pid, plan) = (self.server.address()?, self.server.pid(), self.plan);
        for &connections in &plan.connections {
            let devices = std::mem::take(&mut self.devices);
            let mut own = Load::new(address, pid, Codes::shared(devices, connections, plan.traffic));
            // Copies, so that their codes stay fresh for the server.
            let mut ceiling = self.echo.load(Codes::for_echo(&own.workloads));
            let comparison = compare(&mut self.runner, (plan.pairs, plan.window), &mut own, &mut [&mut ceiling])?;
            self.devices = Codes::gathered(own.workloads);
            self.server.ensure_alive()?;
            let seconds = plan.window.as_secs_f64();
            let title = format!("\n{connections} connections, pairs: {}, windows of {seconds:.1} s", plan.pairs);
            for line in comparison.raw(&title, "countersign", &["bare hyper"]) {
                terminal::say(&line);
            }
            terminal::say(&format!("  ratio        {:>24}", comparison.ratio()));
        }
        let last = driver::replay(address, &mut self.devices, GUESSES_PER_USER);
        let mut last = self.runner.runtime.block_on(last)?;
        self.runner.results.enter(&mut last);
        let (now, most) = process::memory(pid)?;
        self.server.ensure_alive()?;
        let results = self.runner.results;
        terminal::say(&format!(
            "\n{} fresh codes accepted, {} spent ones refused. Memory {} MiB, at most {} MiB.",
            results.done,
            results.refused,
            now / 1024,
            most / 1024
        ));
        Ok(results.violations)
    }
}

/// The server's configuration: the defaults, except for what the run needs. It prints the differences.
fn configuration(plan: &Plan) -> String {
    let most = plan.connections.iter().copied().max().unwrap_or(0);
    let mut lines = vec!["[limits]".to_owned(), format!("threads = {}", plan.server_threads)];
    if most > SHIPPED_CONNECTIONS {
        let raised = most + 10;
        lines.push(format!("connections_per_peer = {raised}"));
        lines.push(format!("connections = {}", raised.max(10_000)));
        terminal::say(&format!("RAISED: limits.connections_per_peer = {raised}, and limits.connections to fit."));
    }
    terminal::say("The dev world has no quota on API calls; guess limits are as shipped.");
    lines.join("\n")
}
