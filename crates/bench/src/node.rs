//! A node that can be killed and started again at the same address.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::clock;

/// Timeout of a start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A `countersign dev` on a data folder.
pub(crate) struct Node {
    binary: PathBuf,
    folder: PathBuf,
    name: &'static str,
    address: SocketAddr,
    options: Vec<String>,
    child: Option<Child>,
}

impl Node {
    /// Starts a node with this name on `folder/data` and waits until it is ready.
    pub(crate) fn start(binary: &Path, folder: &Path, name: &'static str, options: &[&str]) -> Result<Self> {
        // The port is free now, and unlikely to be given to another process before the node binds it.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        let mut node = Self { binary, folder, name, address, options, child: None };
        node.start_again()?;
        Ok(node)
    }

    /// Starts it again at the same address.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        let (ready, log) = (self.ready_file(), self.log());
        if ready.exists() {
            std::fs::remove_file(&ready)?;
        }
        let output = File::options().create(true).append(true).open(&log);
        let output = output.with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(&self.binary);
        // The shell's own settings must not reach the node.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
            command.env_remove(name);
        }
        command.args(["dev", "--listen", &self.address.to_string(), "--data-dir"]).arg(self.folder.join("data"));
        command.arg("--ready-file").arg(&ready).args(&self.options);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {}", self.binary.display()))?;
        let child = self.child.insert(child);
        let began = clock::now();
        while !ready.exists() {
            if let Some(status) = child.try_wait()? {
                bail!("the node ended with {status}:\n{}", last_words(&log));
            }
            ensure!(began.elapsed() < PATIENCE, "the node does not become ready:\n{}", last_words(&log));
            clock::pause(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Puts another binary in its place, at the same address. What it was doing is cut off.
    pub(crate) fn replace(&mut self, binary: &Path) -> Result<()> {
        self.kill()?;
        binary.clone_into(&mut self.binary);
        self.start_again()
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<()> {
        // A node that has ended by itself is a failure.
        self.ensure_alive()?;
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Fails with the last lines of its log if it has ended.
    pub(crate) fn ensure_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
            bail!("node {} ended by itself with {status}:\n{}", self.name, last_words(&self.log()));
        }
        Ok(())
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its ready file, which holds addresses and credentials.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.name))
    }

    /// The file with its output.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already. Its data are not needed.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
