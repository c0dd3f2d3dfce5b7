//! Debian roots for the time of a check or a build: made by mmdebstrap, kept under `target`, and entered by systemd-nspawn. So the
//! machine around stays as it is.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::places::{Workspace, program};
use crate::step::run as run_command;

/// The release that packages are made for.
const RELEASE: &str = "bookworm";

/// What a root contains.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    /// Its folder in cargo's target folder.
    pub(super) folder: &'static str,
    /// Architectures in Debian's words, separated by commas, with this machine's first; `None` for this machine's alone.
    pub(super) architectures: Option<&'static str>,
    /// Packages besides Debian's minimal set, separated by commas.
    pub(super) packages: &'static str,
}

impl Content {
    /// The root with this content, made once.
    pub(super) fn root(&self, places: &Workspace) -> Result<PathBuf> {
        let home = places.folder(self.folder)?;
        let (root, list) = (home.join("root"), home.join("packages"));
        let mut wanted = format!("{RELEASE} {}", self.packages);
        let mut making = Command::new("mmdebstrap");
        making.args(["--quiet", "--variant=minbase", "--include", self.packages]);
        if let Some(architectures) = self.architectures {
            making.args(["--architectures", architectures]);
            wanted = format!("{wanted} {architectures}");
        }
        // This file is written last, so an interrupted making is repeated.
        if std::fs::read_to_string(&list).is_ok_and(|made| made == wanted) {
            return Ok(root);
        }
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        run_command(making.arg(RELEASE).arg(&root)).context("mmdebstrap cannot make a Debian root")?;
        std::fs::write(&list, wanted)?;
        Ok(root)
    }
}

/// The nspawn that runs something in a root. Neither asks nor changes the machine around: no registration, no unit, no network. What is
/// written in the root is kept in memory and gone at the end.
pub(super) fn nspawn(root: &Path) -> Command {
    // If this chore is killed, nspawn gets a signal by which it ends what runs in the root.
    let mut entering = Command::new("setpriv");
    entering.args(["--pdeathsig", "TERM", "systemd-nspawn"]);
    entering.args(["--quiet", "--register=no", "--keep-unit", "--private-network", "--volatile=overlay"]);
    entering.args(["--console=pipe", "-D"]).arg(root);
    entering
}

/// Why no root can be made or entered here, if so.
pub(super) fn missing() -> Option<String> {
    let programs = ["systemd-nspawn", "mmdebstrap", "setpriv"];
    if let Some(name) = programs.into_iter().find(|name| program(&[name]).is_err()) {
        return Some(format!("{name} is not installed"));
    }
    (!is_root()).then(|| "only root can enter a Debian root".to_owned())
}

/// Whether this process runs as root.
pub(super) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
