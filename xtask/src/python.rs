//! Python environments under `target`, created once for each list of packages.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::places::{Workspace, program};
use crate::step::run as run_command;

/// Creates an environment with these packages, unless it exists. Returns its interpreter.
pub(crate) fn environment(places: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let home = places.folder("tools")?.join(name);
    let (python, list) = (home.join("bin/python"), home.join("packages"));
    let wanted = packages.join("\n");
    // This file is written last, so an interrupted installation is repeated.
    if std::fs::read_to_string(&list).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run_command(Command::new(program(&["python3"])?).args(["-m", "venv", "--clear"]).arg(&home))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]).args(packages);
    run_command(&mut install).with_context(|| format!("cannot install {}", packages.join(", ")))?;
    std::fs::write(&list, wanted)?;
    Ok(python)
}
