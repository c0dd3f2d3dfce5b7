//! The workspace's folders, and builds of its binaries.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::metadata::Metadata;
use crate::step::{cargo, run};

/// The folders of the workspace.
#[derive(Debug)]
pub struct Workspace {
    /// The workspace's root.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
}

/// A cargo profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildProfile {
    /// Quick to build.
    Dev,
    /// Optimised, as it is shipped.
    Release,
}

impl Workspace {
    /// The workspace around the current folder.
    pub fn find() -> Result<Self> {
        let metadata = Metadata::bare()?;
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory })
    }

    /// Builds `countersign`. Returns its path.
    pub fn server(&self, profile: BuildProfile) -> Result<PathBuf> {
        self.build(&["countersign"], profile)?;
        Ok(self.built("countersign", profile))
    }

    /// The given binary, or a fresh build.
    pub fn server_or(&self, named: Option<&Path>, profile: BuildProfile) -> Result<PathBuf> {
        match named {
            Some(path) => path.canonicalize().with_context(|| format!("no binary at {}", path.display())),
            None => self.server(profile),
        }
    }

    /// Builds the binaries of these packages.
    pub fn build(&self, crates: &[&str], profile: BuildProfile) -> Result<()> {
        let mut command = cargo();
        command.args(["build", "--locked", "--bins"]).current_dir(&self.root);
        if profile == BuildProfile::Release {
            command.arg("--release");
        }
        for name in crates {
            command.args(["--package", name]);
        }
        run(&mut command)
    }

    /// The path of a built binary.
    pub fn built(&self, name: &str, profile: BuildProfile) -> PathBuf {
        let folder = match profile {
            BuildProfile::Dev => "debug",
            BuildProfile::Release => "release",
        };
        self.target.join(folder).join(name)
    }

    /// A folder under `target`, created if it is missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.target.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }
}

/// The argument that names a server's binary.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerBinary {
    /// Use this binary instead of building one
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

impl ServerBinary {
    /// The named binary, or one that is built now.
    pub(crate) fn path(&self, places: &Workspace) -> Result<PathBuf> {
        places.server_or(self.binary.as_deref(), BuildProfile::Dev)
    }
}

/// Finds the first of these programs that is on the path.
pub fn program(names: &[&str]) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = names.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    match found.into_iter().find(|candidate| candidate.is_file()) {
        Some(program) => Ok(program),
        None => bail!("none of these programs is installed: {}", names.join(", ")),
    }
}
