//! The output of `cargo metadata`, as far as chores need it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::step::{cargo, output};

/// The workspace and its packages.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    pub(crate) workspace_root: PathBuf,
    pub(crate) target_directory: PathBuf,
    resolve: Option<Resolve>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency in a manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Its name in the manifest, if that differs.
    pub(crate) rename: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) req: String,
    /// `None` for a normal dependency, else "dev" or "build".
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Metadata {
    /// The whole dependency tree for this platform.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let mut command = cargo();
        command.args(["metadata", "--format-version", "1", "--all-features", "--locked"]);
        command.args(["--filter-platform", &host()?]).current_dir(root);
        read(&output(&mut command)?)
    }

    /// The workspace without its dependencies.
    pub(crate) fn bare() -> Result<Self> {
        read(&output(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?)
    }

    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The names of all normal dependencies of a package, direct and indirect.
    pub(crate) fn needed_to_run(&self, package: &Package) -> HashSet<&str> {
        let nodes: HashMap<&str, &Node> =
            self.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| (node.id.as_str(), node)).collect();
        let names: HashMap<&str, &str> =
            self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let mut seen = HashSet::new();
        let mut waiting = vec![package.id.as_str()];
        while let Some(id) = waiting.pop() {
            let edges = nodes.get(id).map(|node| node.deps.as_slice()).unwrap_or_default();
            let normal = edges.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            waiting.extend(normal.map(|edge| edge.pkg.as_str()).filter(|id| seen.insert(*id)));
        }
        seen.iter().filter_map(|id| names.get(id).copied()).collect()
    }
}

impl Package {
    /// The name that folders and code use for a crate of this workspace: `domain` for `countersign-domain`.
    pub(crate) fn short_name(&self) -> &str {
        self.name.strip_prefix("countersign-").unwrap_or(&self.name)
    }

    /// The package's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}

fn read(json: &str) -> Result<Metadata> {
    serde_json::from_str(json).context("cargo metadata printed an unexpected form")
}

fn host() -> Result<String> {
    let version = output(std::process::Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV prints no host")
}
