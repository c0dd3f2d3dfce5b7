//! Packages of the npm registry for a chore, installed once under `target`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::places::program;
use crate::step::run as run_command;

/// Installs into this folder what a `package.json` asks for, unless that has been done.
pub(crate) fn install(folder: &Path, wanted: &str) -> Result<()> {
    let list = folder.join("package.json");
    // npm writes the second file last, so an interrupted installation is repeated.
    let is_done = std::fs::read_to_string(&list).is_ok_and(|text| text == wanted)
        && folder.join("node_modules/.package-lock.json").exists();
    if is_done {
        return Ok(());
    }
    std::fs::write(&list, wanted)?;
    let mut npm = Command::new(program(&["npm"])?);
    npm.args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]);
    run_command(npm.current_dir(folder)).with_context(|| format!("npm cannot install what {} lists", list.display()))
}

/// A `package.json` that asks for these, each with its version.
pub(crate) fn list(packages: &[(&str, &str)]) -> String {
    let dependencies: Map<String, Value> =
        packages.iter().map(|(name, version)| ((*name).to_owned(), json!(version))).collect();
    json!({ "private": true, "dependencies": dependencies }).to_string()
}
