//! `cargo xtask page`: checks the start page of a dev world, its outbox, every page for people and the app of a phone in a real browser. The scripts in
//! `xtask/browser` drive Chromium. The app runs against a server in one of them, which judges its signatures. This chore starts a dev world and installs the scripts' packages, in pinned versions, under `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::npm;
use crate::places::{ServerBinary, Workspace, program};
use crate::server::Server;
use crate::step::{cargo, run as run_command};
use crate::terminal;

pub(crate) fn run(binary: &ServerBinary) -> Result<()> {
    let places = Workspace::find()?;
    look(&places, &binary.path(&places)?)
}

/// Whether this machine has the programs that the chore needs.
pub(crate) fn is_possible() -> bool {
    chromium().is_ok() && program(&["node"]).is_ok() && program(&["npm"]).is_ok()
}

/// Checks the pages of a fresh dev world.
pub(crate) fn look(places: &Workspace, binary: &Path) -> Result<()> {
    let chromium = chromium()?;
    let workshop = packages(places)?;
    let pictures = places.folder("screenshots")?;
    let folder = tempfile::Builder::new().prefix("page-").tempdir_in(&places.target)?;
    let mut server = Server::dev(binary, folder.path(), "[email]\nmode = \"both\"\n")?;
    let data = folder.path().join("data");
    let mut creating = Command::new(binary);
    creating.args(["client", "create", "--scope", "Manage All", "--name", "numbers", "--number-matching", "--json"]);
    let created = creating.arg("--data-dir").arg(&data).output().context("cannot start the binary")?;
    ensure!(created.status.success(), "cannot create a client: {}", String::from_utf8_lossy(&created.stderr));
    let client = String::from_utf8(created.stdout)?;
    for (script, last) in [("outbox.mjs", Some(client)), ("start.mjs", None), ("pages.mjs", None)] {
        let mut node = Command::new(program(&["node"])?);
        node.arg(workshop.join(script)).arg(server.ready_file()).arg(&pictures).arg(&chromium).args(last);
        run_command(node.current_dir(&workshop))?;
        server.ensure_alive()?;
    }
    let files = places.folder("app-files")?;
    let mut writing = cargo();
    writing.args(["run", "--quiet", "-p", "countersign-pages", "--example", "app_files", "--"]).arg(&files);
    run_command(writing.current_dir(&places.root))?;
    let mut node = Command::new(program(&["node"])?);
    node.arg(workshop.join("app.mjs")).arg(&files).arg(&pictures).arg(&chromium);
    run_command(node.current_dir(&workshop))?;
    terminal::say(&format!("Screenshots are in {}.", pictures.display()));
    Ok(())
}

/// The browser of this chore.
pub(crate) fn chromium() -> Result<PathBuf> {
    program(&["chromium", "chromium-browser", "google-chrome"])
}

/// Copies the scripts to their packages, where Node.js looks for them. Returns that folder.
pub(crate) fn packages(places: &Workspace) -> Result<PathBuf> {
    let source = places.root.join("xtask/browser");
    let workshop = places.folder("browser")?;
    let wanted = std::fs::read_to_string(source.join("package.json")).context("cannot read the list of packages")?;
    npm::install(&workshop, &wanted)?;
    for script in std::fs::read_dir(&source)? {
        let script = script?.path();
        if script.extension().is_some_and(|ending| ending == "mjs") {
            let name = script.file_name().context("a script has a name")?;
            std::fs::copy(&script, workshop.join(name)).with_context(|| format!("cannot copy {}", script.display()))?;
        }
    }
    Ok(workshop)
}
