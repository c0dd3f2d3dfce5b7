//! A `countersign dev` of a chore's own, in a process of its own, ended with the chore.

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

/// A running dev world.
pub(crate) struct DevServer {
    child: Child,
    folder: PathBuf,
    pub(crate) ready: Ready,
}

/// What the ready file says, as far as chores need it.
#[derive(Debug, Deserialize)]
pub(crate) struct Ready {
    pub(crate) base_url: String,
    pub(crate) clients: Vec<Client>,
}

/// An API client of the dev world.
#[derive(Debug, Deserialize)]
pub(crate) struct Client {
    pub(crate) scope: String,
    #[serde(rename = "client_id")]
    pub(crate) id: String,
    #[serde(rename = "client_secret")]
    pub(crate) secret: String,
}

impl Ready {
    /// The client that may do everything.
    pub(crate) fn manager(&self) -> Result<&Client> {
        let manager = self.clients.iter().find(|client| client.scope == "Manage All");
        manager.context("the dev world has no client that may do everything")
    }
}

impl DevServer {
    /// Starts a fresh world in an empty folder and waits until it answers. `config` is the text of its configuration
    /// file.
    pub(crate) fn start(binary: &Path, folder: &Path, config: &str) -> Result<Self> {
        let (config_file, ready_file, log) =
            (folder.join("config.toml"), folder.join("ready.json"), folder.join("log"));
        std::fs::write(&config_file, config).with_context(|| format!("cannot write {}", config_file.display()))?;
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(binary);
        // Settings of the shell that runs the chore must not change what is measured.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
            command.env_remove(name);
        }
        command.args(["dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.join("data"));
        command.arg("--config").arg(&config_file).arg("--ready-file").arg(&ready_file);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let nothing = Ready { base_url: String::new(), clients: Vec::new() };
        let mut server = Self { child, folder: folder.to_owned(), ready: nothing };
        let began = clock::now();
        while !ready_file.exists() {
            server.ensure_alive()?;
            ensure!(began.elapsed() < PATIENCE, "the server does not become ready:\n{}", server.last_words());
            clock::pause(Duration::from_millis(10));
        }
        let text = std::fs::read_to_string(&ready_file)?;
        server.ready = serde_json::from_str(&text).context("the ready file has another form than expected")?;
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        let address = self.ready.base_url.strip_prefix("http://").unwrap_or_default();
        address.parse().with_context(|| format!("{} is no address of this machine", self.ready.base_url))
    }

    /// The client that may do everything.
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

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        // It may have ended already; there is nothing to save in its world.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
