//! Where things lie, and how binaries get there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::metadata::Metadata;
use crate::step::{cargo, run};

/// The folders that chores work with.
#[derive(Debug)]
pub(crate) struct Places {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// Where everything goes that can be made again.
    pub(crate) target: PathBuf,
}

/// How a binary is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fast to build.
    Dev,
    /// As people run it.
    Release,
}

impl Places {
    /// The places of the workspace around the current folder.
    pub(crate) fn find() -> Result<Self> {
        let metadata = Metadata::bare()?;
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory })
    }

    /// Builds `countersign` and says where it is.
    pub(crate) fn server(&self, profile: Profile) -> Result<PathBuf> {
        self.build(&["countersign"], profile)?;
        Ok(self.built("countersign", profile))
    }

    /// The binary that was named, or a fresh one.
    pub(crate) fn server_or(&self, named: Option<&Path>, profile: Profile) -> Result<PathBuf> {
        match named {
            Some(path) => path.canonicalize().with_context(|| format!("no binary at {}", path.display())),
            None => self.server(profile),
        }
    }

    /// Builds the binaries of these crates.
    pub(crate) fn build(&self, crates: &[&str], profile: Profile) -> Result<()> {
        let mut command = cargo();
        command.args(["build", "--locked", "--bins"]).current_dir(&self.root);
        if profile == Profile::Release {
            command.arg("--release");
        }
        for name in crates {
            command.args(["--package", name]);
        }
        run(&mut command)
    }

    /// Where a binary lies once it is built.
    pub(crate) fn built(&self, name: &str, profile: Profile) -> PathBuf {
        let folder = match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        };
        self.target.join(folder).join(name)
    }

    /// A folder under `target`, made if need be.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.target.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }
}

/// Looks a program up on the path.
pub(crate) fn program(names: &[&str]) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = names.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    match found.into_iter().find(|candidate| candidate.is_file()) {
        Some(program) => Ok(program),
        None => bail!("none of these programs is installed: {}", names.join(", ")),
    }
}
