//! `countersign import`: its arguments.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::run::{OutputArgs, runtime};
use crate::import::{self, Format, ImportOptions};

/// The list may be JSON lines, CSV with a header row, or `otpauth://` addresses. Its fields are `username`, `email`,
/// `phone`, `external_id`, `type` (totp or hotp), `secret_base32`, `counter` (the next one), `digits`, `period`,
/// `algorithm` and `display_name`; only `username` is required. A line without `secret_base32` is a user without a device.
/// Users are matched by `external_id` or `username`. Existing users keep their data, so an import can be repeated.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// List to import
    file: PathBuf,
    /// Format of the list, if its first character does not show it
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write with rejected lines [default: FILE.rejects.jsonl]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// File to write with the device of each secret; it contains every secret in clear
    #[arg(long, value_name = "FILE")]
    map_out: Option<PathBuf>,
    /// Update existing users and devices to what the list says; counters only move forwards
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl ImportArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.output.config()?;
        let Self { file, format, rejects, map_out, update, output } = self;
        let options = ImportOptions { file, format, rejects, map_out, update, json: output.json };
        // One thread reads the list, the others seal and decide.
        runtime(0)?.block_on(import::run(&config, options))
    }
}
