//! A Debian machine with its own systemd, for the time of a check: a root that systemd-nspawn boots. What is written is kept in memory
//! and gone at the end. Its network has nothing but a loopback device.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::root::{self, Content};
use crate::clock;
use crate::places::{Workspace, program};

/// The root. Without a network, what the package depends on is there before.
const CONTENT: Content = Content {
    folder: "tools/debian",
    architectures: None,
    packages: "systemd,systemd-sysv,dbus,ca-certificates,libgcc-s1",
};
/// Where the machine sees the folder that it is given.
pub(super) const SHARED: &str = "/run/packages";
/// How long a boot may take.
const BOOT_TIMEOUT: Duration = Duration::from_secs(90);

/// A booted machine. It is switched off when this is dropped.
pub(super) struct Machine {
    container: Child,
    /// The process id of its init.
    init: u32,
}

/// Why no machine can be booted here, if so.
pub(super) fn missing() -> Option<String> {
    let nsenter = program(&["nsenter"]).is_err().then(|| "nsenter is not installed".to_owned());
    nsenter.or_else(root::missing)
}

impl Machine {
    /// Boots a machine that sees a folder, and waits until it has booted.
    pub(super) fn boot(places: &Workspace, shared: &Path) -> Result<Self> {
        let log = shared.join("console.log");
        let console = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut booting = root::nspawn(&CONTENT.root(places)?);
        booting.args(["--boot", "--link-journal=no", "--hostname=countersign-check"]);
        booting.arg(format!("--bind-ro={}:{SHARED}", shared.display()));
        booting.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
        let container = booting.spawn().context("cannot start systemd-nspawn")?;
        let mut machine = Self { container, init: 0 };
        let began = clock::now();
        loop {
            if let Some(status) = machine.container.try_wait()? {
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("systemd-nspawn ended with {status}:\n{text}");
            }
            ensure!(began.elapsed() < BOOT_TIMEOUT, "the machine does not boot; its console is {}", log.display());
            clock::pause(Duration::from_millis(100));
            machine.init = init_of(machine.container.id()).unwrap_or(0);
            // "running", or "degraded" where a unit of Debian does not work in a container.
            if machine.init != 0
                && let Ok(state) = machine.inside("systemctl is-system-running || true")
                && ["running", "degraded"].contains(&state.trim())
            {
                return Ok(machine);
            }
        }
    }

    /// Runs a script as root in the machine. Returns what it prints; fails unless every command succeeds.
    pub(super) fn inside(&self, script: &str) -> Result<String> {
        let mut entering = Command::new("nsenter");
        entering.args(["--all", "--root", "--target", &self.init.to_string(), "--", "/usr/bin/env", "-i", "-C", "/"]);
        entering.args([
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND=noninteractive",
            "/bin/sh",
            "-euc",
            script,
        ]);
        let done = entering.stdin(Stdio::null()).output().context("cannot start nsenter")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&done.stdout), text(&done.stderr));
        ensure!(done.status.success(), "in the machine, this ended with {}: {script}\n{out}{err}", done.status);
        Ok(out)
    }

    /// A program of this machine that sees the other's network.
    pub(super) fn beside(&self, program: &Path) -> Command {
        let mut entering = Command::new("nsenter");
        entering.args(["--net", "--target", &self.init.to_string(), "--"]).arg(program);
        entering
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Killing its init ends everything in it; nspawn then tidies up.
        if self.init != 0 {
            let _ = Command::new("kill").args(["-KILL", &self.init.to_string()]).status();
        } else {
            let _ = self.container.kill();
        }
        let _ = self.container.wait();
    }
}

/// The only child of nspawn is the init of its machine.
fn init_of(nspawn: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    let init: u32 = children.split_whitespace().next()?.parse().ok()?;
    let name = std::fs::read_to_string(format!("/proc/{init}/comm")).ok()?;
    (name.trim() == "systemd").then_some(init)
}
