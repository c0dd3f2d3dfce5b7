//! Tools from crates.io, installed under `target` unless they are on the path.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::places::Workspace;
use crate::step::{cargo, run as run_command, runs};

/// A tool on the path, or one installed under `target`. That is built without optimisation: it runs for seconds, and
/// optimising it takes minutes.
pub(crate) fn installed(places: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let home = places.folder("tools")?;
    let own = home.join("bin").join(name);
    for candidate in [Path::new(name), &own] {
        // As cargo calls it, with its name as the first argument.
        let subcommand = name.strip_prefix("cargo-").unwrap_or(name);
        if runs(&candidate.to_string_lossy(), &[subcommand, "--version"]) {
            return Ok(candidate.to_owned());
        }
    }
    let mut install = cargo();
    install.args(["install", "--debug", "--locked", "--quiet", name, "--version", version, "--root"]);
    run_command(install.arg(&home)).with_context(|| format!("{name} is not installed and cannot be"))?;
    Ok(own)
}
