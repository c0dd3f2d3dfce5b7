//! What an operator and an application do with a server, whatever it was installed from: a client, a user, and codes that are verified.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::places::{Workspace, program};
use crate::step::run as run_command;

/// The script of the application.
const SCRIPT: &str = "conformance/python/package_accept.py";

/// An application, with what it knows of its client and its user's app.
pub(super) struct Application {
    script: PathBuf,
    /// The folder of its files.
    folder: PathBuf,
    base_url: String,
}

impl Application {
    /// An application that calls a server at this address.
    pub(super) fn new(places: &Workspace, folder: &Path, base_url: &str) -> Self {
        Self { script: places.root.join(SCRIPT), folder: folder.to_owned(), base_url: base_url.to_owned() }
    }

    /// Enrols an app and verifies a code, as the client and for the user that the commands have made.
    pub(super) fn begins(&self, around: impl Fn(&Path) -> Command, client: &str, user: &str) -> Result<()> {
        let (of_client, of_user) = (self.folder.join("client.json"), self.folder.join("user.json"));
        std::fs::write(&of_client, client)?;
        std::fs::write(&of_user, user)?;
        run_command(self.called(around, "first")?.arg(of_client).arg(of_user)).context("an app cannot be used")
    }

    /// Checks that the device and the memory of used codes are still there, and verifies a newer code.
    pub(super) fn goes_on(&self, around: impl Fn(&Path) -> Command) -> Result<()> {
        run_command(&mut self.called(around, "again")?).context("the installation is not what it was")
    }

    /// Checks that they are still there, without waiting for a newer code.
    pub(super) fn is_known(&self, around: impl Fn(&Path) -> Command) -> Result<()> {
        run_command(&mut self.called(around, "kept")?).context("the installation is not what it was")
    }

    fn called(&self, around: impl Fn(&Path) -> Command, mode: &str) -> Result<Command> {
        let mut command = around(&program(&["python3"])?);
        // Compiled files do not belong into the sources.
        command.arg("-B").arg(&self.script).args([mode, &self.base_url]).arg(self.folder.join("state.json"));
        Ok(command)
    }
}
