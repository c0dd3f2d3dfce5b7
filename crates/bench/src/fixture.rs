//! What benches share: sizes, folders on a real disk, installations with users, and the settings that differ from the
//! defaults, which are printed once and listed in the report.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use pgtest::Cluster;
use tempfile::TempDir;
use xtask::server::{ApiClient, Launch, Mode, Server, command};
use xtask::step::output;
use xtask::terminal;

use crate::compare::{Comparison, Load, Runner, Side, compare};
use crate::device::Device;
use crate::driver;
use crate::echo::Echo;
use crate::enrol;
use crate::population::{Dataset, ImportedDevice, Population, written_back};
use crate::sketch::Sketch;
use crate::workload::{Codes, Traffic};

/// Connections of the rows that name no number.
pub(crate) const CONNECTIONS: usize = 256;
/// Connections that a server with default settings grants one address, minus a few for the bench's own calls.
const SHIPPED_CONNECTIONS: usize = 990;

/// The size of a run.
#[derive(Debug, Clone)]
pub(crate) struct Size {
    /// For right answers only: everything is small, and each code is sent twice.
    pub(crate) is_quick: bool,
    /// Windows of each side.
    pub(crate) pairs: usize,
    /// Length of a window.
    pub(crate) window: Duration,
    /// Devices of a small installation.
    pub(crate) few: usize,
    /// Devices of a large one.
    pub(crate) many: usize,
    /// Devices of the largest, if there is time for it.
    pub(crate) millions: Option<usize>,
    /// Most devices that are checked one by one at the end of a row.
    pub(crate) checked: usize,
    /// Idle connections, and pending pushes.
    pub(crate) crowd: (usize, usize),
}

/// What all benches of a run share.
pub(crate) struct Fixture {
    pub(crate) binary: PathBuf,
    pub(crate) size: Size,
    pub(crate) runner: Runner,
    /// Limit of open files of this process.
    pub(crate) open_files: u64,
    /// Settings that differ from the defaults.
    pub(crate) settings: Vec<String>,
    ground: TempDir,
    kept: PathBuf,
}

/// A data folder, or a database, with users.
pub(crate) struct Installation {
    folder: TempDir,
    pub(crate) dataset: Dataset,
    database_url: Option<String>,
}

/// A running server on an installation.
pub(crate) struct Instance {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    pub(crate) authorization: String,
}

impl Fixture {
    /// A fixture in this folder. Imported installations are kept in `keep`, or removed with the rest.
    pub(crate) fn new(
        binary: PathBuf,
        size: Size,
        ground: TempDir,
        keep: Option<PathBuf>,
        open_files: u64,
    ) -> Result<Self> {
        let kept = keep.unwrap_or_else(|| ground.path().join("kept"));
        Ok(Self { binary, size, runner: Runner::new()?, open_files, settings: Vec::new(), ground, kept })
    }

    /// The folder with all files of this run.
    pub(crate) fn ground(&self) -> &Path {
        self.ground.path()
    }

    /// An empty folder.
    pub(crate) fn folder(&self) -> Result<TempDir> {
        tempfile::Builder::new().prefix("run-").tempdir_in(self.ground()).context("cannot make a folder")
    }

    /// An installation with this number of devices.
    pub(crate) fn installation(&self, devices: usize, per_user: usize) -> Result<Installation> {
        let folder = self.folder()?;
        let dataset = Population { devices, per_user }.provide(&self.binary, &self.kept, folder.path())?;
        Ok(Installation { folder, dataset, database_url: None })
    }

    /// An installation in a fresh database of this cluster.
    pub(crate) fn installation_on(&self, cluster: &Cluster, devices: usize) -> Result<Installation> {
        let folder = self.folder()?;
        let url = cluster.new_database();
        Population { devices, per_user: 1 }.import(&self.binary, folder.path(), Some(&url))?;
        written_back(cluster.home())?;
        let dataset = Dataset::read(folder.path())?;
        Ok(Installation { folder, dataset, database_url: Some(url) })
    }

    /// A configuration for this number of connections: the defaults, except where a bench needs other values.
    pub(crate) fn config(&mut self, connections: usize) -> String {
        self.setting(
            "OFF: quotas on API calls (limits.calls_per_hour = 0, limits.bursts = false). Guess limits are as shipped.",
        );
        let quotas = "[limits]\ncalls_per_hour = 0\nbursts = false\n";
        if connections <= SHIPPED_CONNECTIONS {
            return quotas.to_owned();
        }
        // The server keeps a tenth free of held polls.
        let raised = connections + connections / 8 + 100;
        self.setting(&format!(
            "RAISED: limits.connections_per_peer = {raised} and limits.connections to fit, where {connections} \
             connections come from one address."
        ));
        format!("{quotas}connections_per_peer = {raised}\nconnections = {}\n", raised.max(10_000))
    }

    /// Records, and prints once, that a setting differs from the defaults.
    pub(crate) fn setting(&mut self, text: &str) {
        if !self.settings.iter().any(|known| known == text) {
            terminal::say(text);
            self.settings.push(text.to_owned());
        }
    }

    /// How codes are sent: each twice in a quick run.
    pub(crate) fn traffic(&self) -> Traffic {
        if self.size.is_quick { Traffic::FreshThenSpent } else { Traffic::Fresh }
    }

    /// Windows of two sides in turn.
    pub(crate) fn comparison(&mut self, own: &mut dyn Side, other: &mut dyn Side) -> Result<Comparison> {
        self.comparisons(own, &mut [other])
    }

    /// Windows of a server and of several others in turn.
    pub(crate) fn comparisons(&mut self, own: &mut dyn Side, others: &mut [&mut dyn Side]) -> Result<Comparison> {
        compare(&mut self.runner, (self.size.pairs, self.size.window), own, others)
    }

    /// Duration of all windows of one side, including the warm-up.
    pub(crate) fn side_time(&self) -> f64 {
        let pairs = u32::try_from(self.size.pairs).unwrap_or(u32::MAX);
        (self.size.window * (pairs + 1)).as_secs_f64()
    }

    /// The ceiling for requests like this one, which the server answers with this status.
    pub(crate) fn echo(&self, instance: &Instance, request: &[u8], status: u16) -> Result<Echo> {
        Echo::like(&self.runner.runtime, instance.address, (request, status), 1)
    }

    /// The second yardstick of verifications: it knows these devices, and its answers are as large as those of `echo`.
    pub(crate) fn sketch(&self, instance: &Instance, devices: &[ImportedDevice], echo: &Echo) -> Result<Sketch> {
        Sketch::start(self.folder()?, devices, &instance.authorization, echo.size)
    }

    /// Replays the last code of many devices. Each must be refused.
    pub(crate) fn replay(&mut self, instance: &Instance, devices: Vec<Device>) -> Result<()> {
        let mut used: Vec<Device> = devices.into_iter().filter(Device::is_used).take(self.size.checked).collect();
        let replayed = driver::replay(instance.address, &mut used, 0);
        let mut counts = self.runner.runtime.block_on(replayed)?;
        self.runner.results.enter(&mut counts);
        Ok(())
    }
}

impl Installation {
    /// The folder of its data and its configuration.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a server for this number of connections.
    pub(crate) fn open(&self, fixture: &mut Fixture, connections: usize) -> Result<Instance> {
        let config = fixture.config(connections);
        self.open_as(fixture, &config)
    }

    /// Creates a client with this scope.
    pub(crate) fn new_client(&self, fixture: &Fixture, scope: &str) -> Result<ApiClient> {
        let mut create = command(&fixture.binary);
        create.args(["client", "create", "--json", "--scope", scope, "--name", "another"]);
        create.arg("--data-dir").arg(self.folder.path().join("data"));
        if let Some(url) = &self.database_url {
            create.args(["--database-url", url]);
        }
        serde_json::from_str(&output(&mut create)?).context("a client without a secret")
    }

    /// Starts a server with this configuration.
    pub(crate) fn open_as(&self, fixture: &Fixture, config: &str) -> Result<Instance> {
        let server = self.launch(&fixture.binary, config, None).start()?;
        let address = server.address()?;
        let authorization = fixture.runner.runtime.block_on(enrol::authorize(address, &self.dataset.client))?;
        Ok(Instance { server, address, authorization })
    }

    /// How to start a server on this installation.
    pub(crate) fn launch<'a>(&'a self, binary: &'a Path, config: &'a str, listen: Option<SocketAddr>) -> Launch<'a> {
        let database_url = self.database_url.as_deref();
        Launch { binary, folder: self.folder.path(), mode: Mode::Serve, config, database_url, listen }
    }
}

impl Instance {
    /// These devices, with requests to this server.
    pub(crate) fn devices(&self, imported: &[ImportedDevice]) -> Result<Vec<Device>> {
        imported.iter().map(|imported| imported.device(&self.authorization)).collect()
    }

    /// Load of codes over this number of connections.
    pub(crate) fn verifications(&self, devices: Vec<Device>, connections: usize, traffic: Traffic) -> Load<Codes> {
        self.load(Codes::shared(devices, connections, traffic))
    }

    /// Load of these workloads.
    pub(crate) fn load<E: super::workload::Workload>(&self, workloads: Vec<E>) -> Load<E> {
        Load::new(self.address, self.server.pid(), workloads)
    }
}
