//! `countersign clock`: the machine's clock and the trusted time.

use std::process::ExitCode;

use clap::Args;
use domain::Timestamp;
use domain::model::time::SECOND;
use engine::Engine;
use onelogin::wire_time::with_millis;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::report::{Report, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run};
use crate::installation::Intent;

#[derive(Debug, Args)]
pub(crate) struct ClockArgs {
    /// Trust the machine's clock although a later time was seen; everything that has expired by then is ended first
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl ClockArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        run(&self.output, ClockRequest { accept: self.accept })
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClockRequest {
    accept: bool,
}

impl Request for ClockRequest {
    const NOUN: &'static str = "clock";

    fn intent(&self) -> Intent {
        if self.accept { Intent::Write } else { Intent::Read }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        let read = if self.accept { engine.accept_clock().await.map_err(sentence)? } else { engine.clock_reading() };
        let moment = |at: Timestamp| with_millis(at.0);
        let behind = read.trusted.since(read.wall) / SECOND;
        let json = json!({ "clock": moment(read.wall), "trusted": moment(read.trusted), "behind_seconds": behind });
        let text = vec![
            format!("The machine's clock: {}", moment(read.wall)),
            format!("Trusted time:        {}", moment(read.trusted)),
            verdict(behind),
        ];
        Ok(Report::lines(json, text))
    }
}

/// What it means that the machine's clock is so many seconds behind the trusted time.
pub(super) fn verdict(behind: i64) -> String {
    match behind {
        0 => "They agree.".to_owned(),
        1.. => format!(
            "The clock is {behind} seconds behind the highest time seen. If it is right now: countersign clock --accept"
        ),
        _ => format!("The clock has jumped {} seconds ahead and is not trusted yet.", -behind),
    }
}
