//! `cargo xtask ha`: three nodes on a PostgreSQL cluster, built as `docs/operate/high-availability.md` says, and a primary
//! that fails under load. Nothing acknowledged may be lost, and no code may be accepted twice (SEC 84).

mod check;
mod cluster;
mod failover;
mod load;
mod packages;
mod plan;
mod report;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use xtask::places::{BuildProfile, Workspace};
use xtask::server::Ready;
use xtask::terminal;

use crate::clock;
use crate::device::Device;
use crate::enrol::{Wanted, authorize, enrol};
use crate::node::Node;
use cluster::Cluster;
use failover::{Failover, Fault};
use load::Setup;
use packages::Programs;

/// The nodes' names. The last one connects through haproxy, the others to all hosts.
const NODES: [&str; 3] = ["one", "two", "three"];
/// Devices with codes, and devices for guesses, in each fail-over.
const OWNERS: usize = 500;
const TARGETS: usize = 200;
/// The first number of users who enrol under load, apart from those enrolled before.
const NEW: usize = 1_000_000;
/// Time for which a primary runs on without its standbys: longer than a server waits for a commit.
const MUTE: Duration = Duration::from_secs(7);
/// The same with asynchronous replication, where a standby that missed too much would not take over.
const MUTE_ASYNCHRONOUS: Duration = Duration::from_millis(1_500);
/// A server's warning about asynchronous replication.
const WARNING: &str = "replicates asynchronously";

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often the primary fails: killed, then cut off and killed, then frozen, and so on
    #[arg(long, value_name = "N", default_value_t = 3)]
    failovers: usize,
    /// The opposite: replicates asynchronously, which must lose something, or the judge is blind
    #[arg(long, conflicts_with = "failovers")]
    counterproof: bool,
    /// A binary that exists already
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.failovers > 0, "nothing to do");
    let programs = Programs::find()?;
    let binary = Workspace::find()?.server_or(args.binary.as_deref(), BuildProfile::Release)?;
    let began = clock::now();
    let mut cluster = Cluster::start(programs)?;
    cluster.make_database()?;
    terminal::say(&format!(
        "PostgreSQL on three members, one of two standbys synchronous, after {:.0} s.",
        began.elapsed().as_secs_f64()
    ));
    let folder = tempfile::tempdir()?;
    let mut world = World::start(&binary, folder.path(), &cluster)?;
    if args.counterproof {
        return counterproof(&mut world, &mut cluster);
    }
    let faults = [Fault::Killed, Fault::CutOffThenKilled(MUTE), Fault::Frozen];
    let faults: Vec<Fault> = faults.into_iter().cycle().take(args.failovers).collect();
    let failovers = world.suffer(&faults, &mut cluster)?;
    let mut violations: Vec<String> = failovers.iter().flat_map(|one| one.findings.violations().cloned()).collect();
    violations.extend(warnings(&binary, folder.path(), &mut cluster, &world)?);
    for violation in violations.iter().take(20) {
        terminal::say(&format!("VIOLATION {violation}"));
    }
    ensure!(violations.is_empty(), "{} violations", violations.len());
    terminal::say("Nothing acknowledged was lost, and no code was accepted twice.");
    Ok(())
}

/// Three nodes of one world.
struct World {
    nodes: Vec<Node>,
    addresses: Vec<SocketAddr>,
    ready: Ready,
}

impl World {
    fn start(binary: &Path, folder: &Path, cluster: &Cluster) -> Result<Self> {
        let (all, proxied) = (cluster.plan.url()?, cluster.plan.url_through_haproxy());
        let url = |name: &str| if name == NODES[2] { &proxied } else { &all };
        let start = |name: &&'static str| Node::start(binary, folder, name, &["--database-url", url(name)]);
        let nodes: Vec<Node> = NODES.iter().map(start).collect::<Result<_>>()?;
        let address = |node: &Node| Ok(node.url().trim_start_matches("http://").parse()?);
        let addresses = nodes.iter().map(address).collect::<Result<_>>()?;
        let ready = nodes.first().context("there are three nodes")?.ready_file();
        let ready = serde_json::from_str(&std::fs::read_to_string(ready)?)?;
        Ok(Self { nodes, addresses, ready })
    }

    /// Runs these faults one after another, and prints the results.
    fn suffer(&mut self, faults: &[Fault], cluster: &mut Cluster) -> Result<Vec<Failover>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (began, each) = (clock::now(), OWNERS + TARGETS);
        let wanted = Wanted { devices: faults.len() * each, per_user: 1 };
        let mut devices = runtime.block_on(enrol(self.addresses[0], self.ready.manager()?, wanted))?;
        let authorization = runtime.block_on(authorize(self.addresses[0], self.ready.manager()?))?;
        terminal::say(&format!(
            "{} HOTP devices enrolled over the API in {:.0} s. Nodes one and two know all hosts, three goes through haproxy.",
            devices.len(),
            began.elapsed().as_secs_f64()
        ));
        let mut failovers = Vec::new();
        for (number, fault) in (1..).zip(faults) {
            let setup = self.setup(number, devices.split_off(devices.len() - each), &authorization);
            let done = failover::run(*fault, setup, cluster)?;
            self.nodes.iter_mut().try_for_each(Node::ensure_alive)?;
            terminal::say(&format!(
                "Fail-over {number} of {}: db{} took over from db{}.",
                faults.len(),
                done.to,
                done.from
            ));
            failovers.push(done);
        }
        terminal::say(&format!("\n{}\n", report::table(&failovers)));
        Ok(failovers)
    }

    fn setup(&self, number: usize, mut owners: Vec<Device>, authorization: &str) -> Setup {
        let targets = owners.split_off(OWNERS);
        let (nodes, authorization) = (self.addresses.clone(), authorization.to_owned());
        Setup { nodes, authorization, owners, targets, first_new: NEW * number }
    }
}

/// Without synchronous replication, acknowledged data must be lost; otherwise the checks prove nothing.
fn counterproof(world: &mut World, cluster: &mut Cluster) -> Result<()> {
    cluster.make_asynchronous()?;
    let failovers = world.suffer(&[Fault::CutOffThenKilled(MUTE_ASYNCHRONOUS)], cluster)?;
    let findings = &failovers.first().context("there was one")?.findings;
    ensure!(
        !findings.twice.is_empty() && !findings.lost.is_empty(),
        "asynchronous replication lost nothing: a blind judge"
    );
    terminal::say("Asynchronous replication lost what was acknowledged, and the judge saw it.");
    Ok(())
}

/// The server must warn of asynchronous replication, and only of that.
fn warnings(binary: &Path, folder: &Path, cluster: &mut Cluster, world: &World) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for node in &world.nodes {
        if std::fs::read_to_string(node.log())?.contains(WARNING) {
            wrong.push("a node warned of asynchronous replication over a synchronous one".to_owned());
        }
    }
    cluster.make_asynchronous()?;
    let late = Node::start(binary, folder, "late", &["--database-url", &cluster.plan.url()?])?;
    if std::fs::read_to_string(late.log())?.contains(WARNING) {
        terminal::say("A node started over the plan's cluster does not warn; over asynchronous replication it does.");
    } else {
        wrong.push("a node started over asynchronous replication without a warning".to_owned());
    }
    Ok(wrong)
}
