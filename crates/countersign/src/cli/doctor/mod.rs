//! `countersign doctor`: whether an installation works from end to end, each line `ok` or what to do. It sends no message and
//! changes nothing.

mod checks;
mod line;
mod state;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use config::{Config, FlagValues};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::checks::Check;
use self::line::{Line, State};
pub(crate) use self::state::StateRequest;
use crate::cli::checks::Findings;
use crate::cli::run::{ServeArgs, runtime};
use crate::terminal;

/// How long one check may take. Each question within it has a shorter limit.
const LIMIT: Duration = Duration::from_secs(30);
/// Exit code where nothing can be checked.
const CANNOT_RUN: u8 = 2;

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 if all is well, 1 if something must be done, 2 if nothing could be checked.")]
pub(crate) struct DoctorArgs {
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    serve: Box<ServeArgs>,
}

impl DoctorArgs {
    pub(crate) fn run(self) -> ExitCode {
        match runtime(2) {
            Ok(runtime) => runtime.block_on(examine(&self.serve.flags(), self.json)),
            Err(error) => {
                terminal::failed(&format!("countersign: nothing can be checked: {error}"));
                ExitCode::from(CANNOT_RUN)
            }
        }
    }
}

/// Runs every check side by side, prints each when it ends, and the verdict at last.
async fn examine(flags: &FlagValues, as_json: bool) -> ExitCode {
    let checks = match Config::load(flags) {
        Ok(config) => checks::all(&Arc::new(config)),
        Err(error) => {
            let unreadable = Findings { faults: vec![format!("{error:#}")], ..Findings::default() };
            vec![Check::done("configuration", Line::found("configuration", unreadable, ""))]
        }
    };
    let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
    let mut running = JoinSet::new();
    for (place, Check { name, work }) in checks.into_iter().enumerate() {
        running.spawn(async move {
            let late = |_| vec![Line::fault(&name, format!("no result within {} s", LIMIT.as_secs()))];
            (place, timeout(LIMIT, work).await.unwrap_or_else(late))
        });
    }
    let mut ended: Vec<(usize, Vec<Line>)> = Vec::with_capacity(names.len());
    while let Some(joined) = running.join_next().await {
        let Ok((place, lines)) = joined else { continue };
        if !as_json {
            for line in &lines {
                terminal::say(&line.to_string());
            }
        }
        ended.push((place, lines));
    }
    // A check that panicked has no result, and must not pass for a good one.
    for (place, name) in names.iter().enumerate() {
        if !ended.iter().any(|(ended, _)| *ended == place) {
            let line = Line::fault(name, "this check failed itself; please report it".to_owned());
            if !as_json {
                terminal::say(&line.to_string());
            }
            ended.push((place, vec![line]));
        }
    }
    ended.sort_by_key(|(place, _)| *place);
    let lines: Vec<Line> = ended.into_iter().flat_map(|(_, lines)| lines).collect();
    conclude(&lines, as_json)
}

fn conclude(lines: &[Line], as_json: bool) -> ExitCode {
    let count = |state| lines.iter().filter(|line| line.state == state).count();
    let (faults, advice) = (count(State::Fault), count(State::Advice));
    if as_json {
        terminal::say(&json!({ "well": faults == 0, "checks": lines }).to_string());
    } else {
        let verdict = match (faults, advice) {
            (0, 0) => "All is well.".to_owned(),
            (0, advice) => format!("All is well; advice: {advice}."),
            (faults, 0) => format!("Something must be done; faults: {faults}."),
            (faults, advice) => format!("Something must be done; faults: {faults}, advice: {advice}."),
        };
        terminal::say(&verdict);
    }
    if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
