//! `countersign status`: whether a server runs here, and what the installation holds.

use std::process::ExitCode;

use clap::Args;
use engine::Engine;
use onelogin::wire_time::with_millis;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Page, UserFilter};

use crate::cli::labels;
use crate::cli::report::{Report, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, runtime};
use crate::installation::Intent;
use crate::{admin, control, service};

/// The exit status that service scripts use for a service that does not run.
const NOT_RUNNING: u8 = 3;

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    output: OutputArgs,
}

impl StatusArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.output.config()?;
        let report = runtime(1)?.block_on(control::send(&config, StatusRequest {}, Intent::Read))?;
        report.print(self.output.json, false);
        // With PostgreSQL, nodes run elsewhere, and this process does not know of them.
        let is_known_stopped = config.storage.database.postgres().is_none() && report.json["running"] == false;
        Ok(if is_known_stopped { ExitCode::from(NOT_RUNNING) } else { ExitCode::SUCCESS })
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StatusRequest {}

impl Request for StatusRequest {
    const NOUN: &'static str = "status";

    fn intent(&self) -> Intent {
        Intent::Read
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        let policy = &engine.settings().policy;
        let one = Page { limit: 1, offset: 0 };
        let users = engine.users(&UserFilter::default(), one).await.map_err(sentence)?.total;
        let unusable = UserFilter { without_usable: Some(policy.offered()), ..UserFilter::default() };
        let unusable = engine.users(&unusable, one).await.map_err(sentence)?.total;
        let clients = engine.clients().await.map_err(sentence)?;
        let live = clients.iter().filter(|client| client.revoked_at.is_none()).count();
        let waiting =
            engine.store().waiting().await.map_err(|error| format!("the database cannot be read: {error}"))?;
        let age = waiting.oldest.map_or(0, |oldest| engine.now().since(oldest).max(0) / 1_000);
        let offered: Vec<&str> = policy.factors.iter().copied().map(labels::factor).collect();
        let answering = service::answering();
        let version = env!("CARGO_PKG_VERSION");
        let json = json!({
            "version": version,
            "running": answering.is_some(),
            "listens": answering.as_ref().map(|answering| &answering.at),
            "since": answering.as_ref().map(|answering| with_millis(answering.since.0)),
            "factors": policy.factors.iter().copied().map(admin::label).collect::<Vec<_>>(),
            "clients": live,
            "users": users,
            "users_without_usable_device": unusable,
            "messages_waiting": waiting.messages,
            "messages_oldest_seconds": age,
        });
        let first = match &answering {
            Some(answering) => {
                format!(
                    "Countersign {version} is answering at {} since {}",
                    answering.at,
                    with_millis(answering.since.0)
                )
            }
            None => format!("Countersign {version}: no server answers here. Start one with countersign serve"),
        };
        let without =
            if unusable > 0 { format!("; {unusable} of them without a usable device") } else { String::new() };
        let late = if waiting.messages > 0 { format!("; the oldest for {age} s") } else { String::new() };
        let text = vec![
            first,
            format!("  Factors   {}", offered.join(", ")),
            format!("  Clients   {live}"),
            format!("  Users     {users}{without}"),
            format!("  Messages  {} waiting{late}", waiting.messages),
        ];
        Ok(Report::lines(json, text))
    }
}
