//! `countersign completions` and `countersign man`: what packages put beside the binary, made from the commands themselves.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::terminal;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that reads them
    shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn run(self, mut cli: Command) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli, "countersign", &mut script);
        terminal::say(String::from_utf8(script)?.trim_end());
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder for the pages, one for each command
    folder: PathBuf,
}

impl ManArgs {
    pub(crate) fn run(self, cli: Command) -> anyhow::Result<ExitCode> {
        let written = std::fs::create_dir_all(&self.folder).and_then(|()| clap_mangen::generate_to(cli, &self.folder));
        written.with_context(|| format!("the pages cannot be written to {}", self.folder.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
