//! A `countersign` process for a chore, killed when dropped: a dev world, or `serve` on a prepared data folder.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::clock;

/// Timeout of a start.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of an orderly stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// How to start a server. One folder holds everything: `data`, configuration, ready file and log.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// The `countersign` binary.
    pub binary: &'a Path,
    /// The folder for its files.
    pub folder: &'a Path,
    /// Which command to run.
    pub mode: Mode,
    /// The text of its configuration file.
    pub config: &'a str,
    /// A PostgreSQL database instead of SQLite in the folder.
    pub database_url: Option<&'a str>,
    /// The address to listen at; `None` for a free port of loopback.
    pub listen: Option<SocketAddr>,
}

/// The command of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `countersign dev`, with its made-up world.
    Dev,
    /// `countersign serve`, with an empty or prepared data folder.
    Serve,
}

/// A running server.
pub struct Server {
    child: Child,
    folder: PathBuf,
    /// The content of its ready file.
    pub ready: Ready,
}

/// What chores need of the ready file. `serve` lists no clients.
#[derive(Debug, Default, Deserialize)]
pub struct Ready {
    /// Its URL, without a path.
    pub base_url: String,
    /// The API clients of the dev world.
    #[serde(default)]
    pub clients: Vec<ApiClient>,
}

impl Ready {
    /// The dev world's client with the scope Manage All.
    pub fn manager(&self) -> Result<&ApiClient> {
        let manager = self.clients.iter().find(|client| client.scope == "Manage All");
        manager.context("the dev world has no client with the scope Manage All")
    }
}

/// An API client of the server.
#[derive(Debug, Clone, Deserialize)]
pub struct ApiClient {
    /// Its scope, as `Manage All`.
    pub scope: String,
    /// Its client id.
    #[serde(rename = "client_id")]
    pub id: String,
    /// Its client secret.
    #[serde(rename = "client_secret")]
    pub secret: String,
}

impl Launch<'_> {
    /// Starts the server and waits until it is ready.
    pub fn start(&self) -> Result<Server> {
        let mut server = self.spawn()?;
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Starts the server without waiting.
    pub fn spawn(&self) -> Result<Server> {
        let (config, log) = (self.folder.join("config.toml"), self.folder.join("log"));
        std::fs::write(&config, self.config).with_context(|| format!("cannot write {}", config.display()))?;
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let ready_file = self.folder.join("ready.json");
        if ready_file.exists() {
            std::fs::remove_file(&ready_file)?;
        }
        let listen = self.listen.map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
        let mut command = command(self.binary);
        command.arg(if self.mode == Mode::Dev { "dev" } else { "serve" });
        if self.mode == Mode::Dev {
            // Chores measure plain polls, so the server must not hold them.
            command.args(["--hold", "off"]);
        }
        command.args(["--listen", &listen, "--data-dir"]).arg(self.folder.join("data"));
        command.arg("--config").arg(&config).arg("--ready-file").arg(&ready_file);
        if let Some(url) = self.database_url {
            command.args(["--database-url", url]);
        }
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {}", self.binary.display()))?;
        Ok(Server { child, folder: self.folder.to_owned(), ready: Ready::default() })
    }
}

/// The program, without the `COUNTERSIGN_` variables of the shell that runs the chore.
pub fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
        command.env_remove(name);
    }
    command
}

impl Server {
    /// Starts a fresh dev world in an empty folder and waits until it is ready.
    pub fn dev(binary: &Path, folder: &Path, config: &str) -> Result<Self> {
        Launch { binary, folder, mode: Mode::Dev, config, database_url: None, listen: None }.start()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let ready_file = self.ready_file();
        let began = clock::now();
        while !ready_file.exists() {
            self.ensure_alive()?;
            ensure!(began.elapsed() < START_TIMEOUT, "the server does not become ready:\n{}", self.last_lines());
            clock::pause(Duration::from_millis(10));
        }
        let text = std::fs::read_to_string(&ready_file)?;
        self.ready = serde_json::from_str(&text).context("the ready file has an unexpected form")?;
        Ok(())
    }

    /// The address at which it listens.
    pub fn address(&self) -> Result<SocketAddr> {
        let address = self.ready.base_url.strip_prefix("http://").unwrap_or_default();
        address.parse().with_context(|| format!("{} is not an address of this machine", self.ready.base_url))
    }

    /// The dev world's client with the scope Manage All.
    pub fn manager(&self) -> Result<&ApiClient> {
        self.ready.manager()
    }

    /// The process id, for `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its ready file, which holds addresses and credentials.
    pub fn ready_file(&self) -> PathBuf {
        self.folder.join("ready.json")
    }

    /// Fails with the last lines of its log if it has ended.
    pub fn ensure_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended with {status}:\n{}", self.last_lines());
        }
        Ok(())
    }

    /// Stops it with SIGTERM, as an operator does, and waits until it has ended.
    pub fn stop(mut self) -> Result<()> {
        self.ensure_alive()?;
        let kill = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        ensure!(kill.success(), "kill cannot signal the server");
        let began = clock::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}:\n{}", self.last_lines());
                return Ok(());
            }
            ensure!(began.elapsed() < STOP_TIMEOUT, "the server does not stop:\n{}", self.last_lines());
            clock::pause(Duration::from_millis(10));
        }
    }

    fn last_lines(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already. Everything was saved before each answer.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
