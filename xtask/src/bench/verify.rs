//! `cargo xtask bench verify`: right HOTP codes, each accepted once, against bare hyper in alternating windows of the
//! same run. It fails on a wrong answer and never on a slow one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::runtime::Runtime;

use super::device::Device;
use super::echo::{self, Echo};
use super::enrol::{self, Wanted};
use super::lane::{self, Tally, Traffic};
use super::process::{self, Cpu};
use super::report::{HEADING, Series, spread};
use super::wire::Connection;
use crate::dev_server::DevServer;
use crate::places::{Places, Profile};
use crate::step::run as run_command;
use crate::{clock, terminal};

/// Connections that a server as shipped grants one address, with some left over for our own.
const SHIPPED_CONNECTIONS: usize = 990;

/// Wrong guesses that a user has left when the run ends: far below what locks anything.
const GUESSES_PER_USER: usize = 2;

/// How much, how long, how often.
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
    /// HOTP devices
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
}

/// What a run is made of.
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

/// The chore.
pub(super) fn run(args: &Args) -> Result<()> {
    let plan = args.plan()?;
    let places = Places::find()?;
    if cfg!(debug_assertions) {
        // A generator without optimisation measures itself.
        places.build(&["server", "xtask"], Profile::Release)?;
        return run_command(Command::new(places.built("xtask", Profile::Release)).args(std::env::args_os().skip(1)));
    }
    let named = args.binary.clone().unwrap_or_else(|| places.built("countersign", Profile::Release));
    let binary = places.server_or(Some(&named), Profile::Release)?;
    // On the disk that builds use, since a file system in memory would make every sync free.
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&places.target)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let violations = Bench::prepare(&plan, &binary, folder.path(), &runtime)?.measure(&runtime)?;
    if violations.is_empty() {
        terminal::say("Every fresh code was accepted, every spent one refused.");
        return Ok(());
    }
    for violation in violations.iter().take(10) {
        terminal::say(&format!("VIOLATION {violation}"));
    }
    bail!("{} violations", violations.len())
}

/// Both servers, warm, and the devices to drive them with.
struct Bench<'a> {
    plan: &'a Plan,
    server: DevServer,
    echo: Echo,
    devices: Vec<Device>,
    tally: Tally,
}

impl<'a> Bench<'a> {
    fn prepare(plan: &'a Plan, binary: &Path, folder: &Path, runtime: &Runtime) -> Result<Self> {
        let server = DevServer::start(binary, folder, &configuration(plan))?;
        let address = server.address()?;
        let began = clock::now();
        let mut devices = runtime.block_on(enrol::enrol(address, server.manager()?, plan.wanted))?;
        terminal::say(&format!(
            "{} HOTP devices, {} a user, enrolled through the API in {:.1} s.",
            devices.len(),
            plan.wanted.per_user,
            began.elapsed().as_secs_f64()
        ));
        let (head_bytes, body_bytes) = runtime.block_on(async {
            let mut line = Connection::open(address).await?;
            let answer = line.exchange(devices[0].fresh()).await?;
            ensure!(answer.status == 200, "the first fresh code was answered {}", answer.status);
            Ok((answer.head.len(), answer.body.len()))
        })?;
        let echo = Echo::start(echo::Args { head_bytes, body_bytes, threads: plan.echo_threads })?;
        runtime.block_on(async {
            let mut line = Connection::open(echo.address).await?;
            let answer = line.exchange(devices[0].clone().fresh()).await?;
            let sizes = (answer.head.len(), answer.body.len());
            ensure!(sizes == (head_bytes, body_bytes), "the echo server answers {sizes:?} bytes");
            Ok(())
        })?;
        let threads = |threads| match threads {
            0 => "one thread per core".to_owned(),
            1 => "one thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        terminal::say(&format!(
            "Answers of {head_bytes} + {body_bytes} bytes. Countersign: {}, as shipped a durable commit before each answer. \
             Bare hyper: {}.",
            threads(plan.server_threads),
            threads(plan.echo_threads),
        ));
        Ok(Self { plan, server, echo, devices, tally: Tally::default() })
    }

    /// Runs every window and prints the tables; gives back what must not have happened.
    fn measure(mut self, runtime: &Runtime) -> Result<Vec<String>> {
        for connections in self.plan.connections.clone() {
            let (mut own, mut ceiling) = (Series::default(), Series::default());
            // Warm both: page cache, allocator, prepared statements.
            let warm = self.plan.window.min(Duration::from_millis(500));
            self.window(runtime, connections, warm, &mut Series::default())?;
            self.ceiling(runtime, connections, warm, &mut Series::default())?;
            for _ in 0..self.plan.pairs {
                self.window(runtime, connections, self.plan.window, &mut own)?;
                self.ceiling(runtime, connections, self.plan.window, &mut ceiling)?;
            }
            terminal::say(&format!(
                "\n{connections} connections, pairs: {}, windows of {:.1} s\n{HEADING}",
                self.plan.pairs,
                self.plan.window.as_secs_f64()
            ));
            terminal::say(&own.line("countersign"));
            terminal::say(&ceiling.line("bare hyper"));
            terminal::say(&format!("  ratio        {:>24}", spread(&own.ratios(&ceiling), 2)));
        }
        let address = self.server.address()?;
        let last = runtime.block_on(lane::replay(address, &mut self.devices, GUESSES_PER_USER))?;
        self.tally.add(last);
        let (now, most) = process::memory(self.server.pid())?;
        self.server.ensure_alive()?;
        terminal::say(&format!(
            "\n{} fresh codes accepted, {} spent ones refused. Memory {} MiB, at most {} MiB.",
            self.tally.accepted,
            self.tally.refused,
            now / 1024,
            most / 1024
        ));
        Ok(self.tally.violations)
    }

    fn window(&mut self, runtime: &Runtime, connections: usize, time: Duration, series: &mut Series) -> Result<()> {
        let (address, pid, traffic) = (self.server.address()?, self.server.pid(), self.plan.traffic);
        let devices = std::mem::take(&mut self.devices);
        let before = Cpu::of(pid)?;
        let (devices, tally) = runtime.block_on(lane::drive(address, devices, connections, time, traffic))?;
        series.add(&tally, Cpu::of(pid)?.since(before));
        self.devices = devices;
        self.tally.add(tally);
        self.server.ensure_alive()
    }

    fn ceiling(&self, runtime: &Runtime, connections: usize, time: Duration, series: &mut Series) -> Result<()> {
        // Copies, so that the codes they make are still fresh for the server.
        let (devices, pid) = (self.devices.clone(), self.echo.pid());
        let before = Cpu::of(pid)?;
        let driven = lane::drive(self.echo.address, devices, connections, time, Traffic::Echo);
        let (_, tally) = runtime.block_on(driven)?;
        ensure!(tally.violations.is_empty(), "the echo server failed: {:?}", tally.violations.first());
        series.add(&tally, Cpu::of(pid)?.since(before));
        Ok(())
    }
}

/// The server's configuration: as shipped, but for what the run cannot do without, which is said.
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
