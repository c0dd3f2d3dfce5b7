//! A `countersign` of a chore's own, in a process of its own, ended with the chore: a dev world, or the server that
//! people run, over a data folder that was filled before.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::clock;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an orderly end may take.
const LAST_PATIENCE: Duration = Duration::from_secs(60);

/// How a server is started. Everything it needs lies in one folder: `data`, and beside it configuration, ready file and
/// log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Launch<'a> {
    pub(crate) binary: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) mode: Mode,
    /// The text of its configuration file.
    pub(crate) config: &'a str,
    /// A database instead of the folder's own.
    pub(crate) database_url: Option<&'a str>,
    /// Where it listens; otherwise anywhere.
    pub(crate) listen: Option<SocketAddr>,
}

/// What is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The dev world.
    Dev,
    /// The server alone.
    Serve,
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    pub(crate) ready: Ready,
}

/// What the ready file says, as far as chores need it. `serve` names no clients.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Ready {
    pub(crate) base_url: String,
    #[serde(default)]
    pub(crate) clients: Vec<Client>,
}

impl Ready {
    /// The dev world's client that may do everything.
    pub(crate) fn manager(&self) -> Result<&Client> {
        let manager = self.clients.iter().find(|client| client.scope == "Manage All");
        manager.context("the dev world has no client that may do everything")
    }
}

/// An API client of the server.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Client {
    pub(crate) scope: String,
    #[serde(rename = "client_id")]
    pub(crate) id: String,
    #[serde(rename = "client_secret")]
    pub(crate) secret: String,
}

impl Launch<'_> {
    /// Starts it and waits until it answers.
    pub(crate) fn start(&self) -> Result<Server> {
        let mut server = self.spawn()?;
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Starts it.
    pub(crate) fn spawn(&self) -> Result<Server> {
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
            // Chores poll, and what they measure is the poll.
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

/// The program, without what the shell that runs the chore may have set: it must not change what is measured.
pub(crate) fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
        command.env_remove(name);
    }
    command
}

impl Server {
    /// Starts a fresh dev world in an empty folder and waits until it answers.
    pub(crate) fn dev(binary: &Path, folder: &Path, config: &str) -> Result<Self> {
        Launch { binary, folder, mode: Mode::Dev, config, database_url: None, listen: None }.start()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let ready_file = self.ready_file();
        let began = clock::now();
        while !ready_file.exists() {
            self.ensure_alive()?;
            ensure!(began.elapsed() < PATIENCE, "the server does not become ready:\n{}", self.last_words());
            clock::pause(Duration::from_millis(10));
        }
        let text = std::fs::read_to_string(&ready_file)?;
        self.ready = serde_json::from_str(&text).context("the ready file has another form than expected")?;
        Ok(())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        let address = self.ready.base_url.strip_prefix("http://").unwrap_or_default();
        address.parse().with_context(|| format!("{} is no address of this machine", self.ready.base_url))
    }

    /// The dev world's client that may do everything.
    pub(crate) fn manager(&self) -> Result<&Client> {
        self.ready.manager()
    }

    /// The process, for `/proc`.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that says how to reach it.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.join("ready.json")
    }

    /// Fails with the server's last words if it has ended.
    pub(crate) fn ensure_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended with {status}:\n{}", self.last_words());
        }
        Ok(())
    }

    /// Ends it as an operator does, and waits until it has ended.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.ensure_alive()?;
        let told = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        ensure!(told.success(), "the server cannot be told to stop");
        let began = clock::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}:\n{}", self.last_words());
                return Ok(());
            }
            ensure!(began.elapsed() < LAST_PATIENCE, "the server does not stop:\n{}", self.last_words());
            clock::pause(Duration::from_millis(10));
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; what was to be saved was saved before each answer.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
