//! A Debian machine with its own systemd, for the time of a check: a root made by mmdebstrap and kept under `target`, booted by
//! systemd-nspawn. What is written is kept in memory and gone at the end. Its network has nothing but a loopback device.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::clock;
use crate::places::{Workspace, program};
use crate::step::run as run_command;

/// The packages of the root besides Debian's minimal set. Without a network, what the package depends on is there before.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,ca-certificates,libgcc-s1";
/// The release that packages are made for.
const RELEASE: &str = "bookworm";
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
    let programs = ["systemd-nspawn", "mmdebstrap", "nsenter", "setpriv"];
    if let Some(name) = programs.into_iter().find(|name| program(&[name]).is_err()) {
        return Some(format!("{name} is not installed"));
    }
    (!is_root()).then(|| "only root can boot a machine".to_owned())
}

impl Machine {
    /// Boots a machine that sees a folder, and waits until it has booted.
    pub(super) fn boot(places: &Workspace, shared: &Path) -> Result<Self> {
        let root = root(places)?;
        let log = shared.join("console.log");
        let console = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        // If this chore is killed, nspawn gets a signal by which it switches the machine off.
        let mut booting = Command::new("setpriv");
        booting.args(["--pdeathsig", "TERM", "systemd-nspawn"]);
        // Nothing of the machine around is asked or changed: no registration, no unit, no network device.
        booting.args(["--quiet", "--register=no", "--keep-unit", "--private-network", "--volatile=overlay", "--boot"]);
        booting.args(["--console=pipe", "--link-journal=no", "--hostname=countersign-check", "-D"]).arg(root);
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

/// Whether this process runs as root.
pub(super) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The only child of nspawn is the init of its machine.
fn init_of(nspawn: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    let init: u32 = children.split_whitespace().next()?.parse().ok()?;
    let name = std::fs::read_to_string(format!("/proc/{init}/comm")).ok()?;
    (name.trim() == "systemd").then_some(init)
}

/// The root of the machine, made once.
fn root(places: &Workspace) -> Result<PathBuf> {
    let home = places.folder("tools/debian")?;
    let (root, list) = (home.join("root"), home.join("packages"));
    let wanted = format!("{RELEASE} {PACKAGES}");
    // This file is written last, so an interrupted making is repeated.
    if std::fs::read_to_string(&list).is_ok_and(|made| made == wanted) {
        return Ok(root);
    }
    if root.exists() {
        std::fs::remove_dir_all(&root)?;
    }
    let mut making = Command::new("mmdebstrap");
    making.args(["--quiet", "--variant=minbase", "--include", PACKAGES, RELEASE]).arg(&root);
    run_command(&mut making).context("mmdebstrap cannot make a Debian root")?;
    std::fs::write(&list, wanted)?;
    Ok(root)
}
