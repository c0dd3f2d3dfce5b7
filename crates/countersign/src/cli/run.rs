//! Runs a command: finds the installation, asks for confirmation, prints the answer.

use std::process::ExitCode;

use clap::Args;
use config::Config;

use crate::cli::flags::{PlaceFlags, ServeFlags};
use crate::cli::request::Request;
use crate::installation::Intent;
use crate::{control, signals, terminal};

/// The place of an installation and the form of the answer.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    place: PlaceFlags,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl OutputArgs {
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        Config::load(&self.place.0)
    }
}

/// Every setting of a server.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    place: PlaceFlags,
    #[command(flatten)]
    serve: ServeFlags,
}

impl ServeArgs {
    /// What the flags set.
    pub(crate) fn flags(&self) -> config::FlagValues {
        self.place.0.clone().and(&self.serve.0)
    }

    /// The configuration. Prints its warnings.
    pub(crate) fn load(&self) -> anyhow::Result<Config> {
        let config = Config::load(&self.flags())?;
        for warning in config.notes.iter().cloned().chain(config::unknown_variables()) {
            terminal::remark(&format!("countersign: {warning}"));
        }
        Ok(config)
    }
}

/// Runs a request and prints the answer.
pub(crate) fn run<R: Request>(output: &OutputArgs, request: R) -> anyhow::Result<ExitCode> {
    run_as(request.intent(), output, request, false)
}

/// Runs a request that cannot be undone, once `--yes` or a person at the terminal has agreed.
pub(crate) fn run_if_agreed<R: Request>(
    yes: bool,
    question: &str,
    output: &OutputArgs,
    request: R,
) -> anyhow::Result<ExitCode> {
    match terminal::agreed(yes, question) {
        Ok(()) => run(output, request),
        Err(code) => Ok(code),
    }
}

/// Runs a request with another intent than its own, or with ids that are not shortened.
pub(crate) fn run_as<R: Request>(
    intent: Intent,
    output: &OutputArgs,
    request: R,
    full: bool,
) -> anyhow::Result<ExitCode> {
    let config = output.config()?;
    let report = runtime(1)?.block_on(control::send(&config, request, intent))?;
    report.print(output.json, full);
    Ok(ExitCode::SUCCESS)
}

/// The intent of a request that writes, with or without `--init`.
pub(crate) fn writing(init: bool) -> Intent {
    if init { Intent::Make } else { Intent::Write }
}

/// Open files to ask for: the most connections, and as many again for outgoing ones and the database.
const FILES: u64 = 20_000;

/// A runtime with this many threads, 0 for one per core. It also raises the limit on open files: each connection is one,
/// and the usual limit is 1,024.
pub(crate) fn runtime(threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    // A lower limit means fewer connections, which the accept loop handles.
    let _ = rlimit::increase_nofile_limit(FILES);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build()?;
    let entered = runtime.enter();
    signals::ignore_the_rest()?;
    drop(entered);
    Ok(runtime)
}

/// The first line of standard input.
pub(crate) fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    // Some shells put a byte order mark in front of what they pipe.
    let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
