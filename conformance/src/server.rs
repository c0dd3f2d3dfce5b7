//! Each run starts its own `countersign dev`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::authority::Authority;
use crate::process::{self, tail};

/// The folder for the servers' data, removed at the end. It is in the system's temporary folder, because the path of
/// the Unix socket in a data folder must be short.
pub(crate) struct WorkFolder {
    path: PathBuf,
    keep: bool,
}

impl WorkFolder {
    pub(crate) fn create(keep: bool) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("countersign-conformance-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path, keep })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if !self.keep {
            // A folder left in the temporary folder does no harm.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// An API credential for one run.
pub(crate) struct Credential {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) profile: String,
}

pub(crate) struct Server {
    child: Child,
    data: PathBuf,
    ready: PathBuf,
    log: PathBuf,
}

impl Server {
    /// Starts a server with a fresh world and waits until it answers.
    pub(crate) fn start(arguments: &Arguments, folder: &Path, authority: Option<&Authority>) -> Result<Self> {
        let data = folder.join("data");
        let ready = folder.join("ready.json");
        let log = folder.join("log");
        let output = File::create(&log)?;
        let mut command = countersign(arguments);
        command
            .args(["dev", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .arg("--ready-file")
            .arg(&ready)
            .args(authority.map(Authority::flags).unwrap_or_default())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut server = Self { child, data, ready, log };
        let end = Instant::now() + arguments.start_timeout;
        while !server.ready.exists() {
            ensure!(
                server.still_runs()?,
                "the server ended before it was ready; its last words:\n{}",
                server.last_words()
            );
            ensure!(
                Instant::now() < end,
                "the server was not ready after {} s; its last words:\n{}",
                arguments.start_timeout.as_secs(),
                server.last_words()
            );
            thread::sleep(Duration::from_millis(25));
        }
        Ok(server)
    }

    /// Creates a credential with the command line, while the server runs.
    pub(crate) fn create_client(&self, arguments: &Arguments, scope: &str, profile: &str) -> Result<Credential> {
        let printed = process::must(
            countersign(arguments)
                .args(["client", "create", "--scope", scope, "--profile", profile, "--hold", "off", "--data-dir"])
                .arg(&self.data)
                .arg("--json"),
            arguments.start_timeout,
        )?;
        let answer: Value =
            serde_json::from_str(&printed).with_context(|| format!("client create printed {printed:?}, not JSON"))?;
        for (member, want) in [("scope", scope), ("profile", profile)] {
            if answer[member] != want {
                bail!("client create says {member} {}, asked for {want}", answer[member]);
            }
        }
        let member = |name: &str| {
            let value = answer[name].as_str();
            value.map(str::to_owned).with_context(|| format!("client create printed no {name}"))
        };
        Ok(Credential {
            client_id: member("client_id")?,
            client_secret: member("client_secret")?,
            profile: profile.to_owned(),
        })
    }

    pub(crate) fn ready_file(&self) -> &Path {
        &self.ready
    }

    pub(crate) fn still_runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    pub(crate) fn last_words(&self) -> String {
        tail(&fs::read_to_string(&self.log).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already. Its data are not needed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, without the `COUNTERSIGN_` variables of our own environment.
fn countersign(arguments: &Arguments) -> Command {
    let mut command = Command::new(&arguments.binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            command.env_remove(name);
        }
    }
    command
}
