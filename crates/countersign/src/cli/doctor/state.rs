//! What an installation knows of itself: its clock, and what waits to be sent.

use domain::model::time::SECOND;
use engine::Engine;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::report::Report;
use crate::cli::request::Request;
use crate::installation::Intent;

/// Asks an installation how it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StateRequest {}

/// What [`StateRequest`] is answered with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KnownState {
    /// Seconds by which the machine's clock is behind the trusted time.
    pub(super) behind_seconds: i64,
    /// Messages that wait to be sent.
    pub(super) waiting: u64,
    /// Age of the oldest of them, in seconds.
    pub(super) oldest_seconds: i64,
}

impl Request for StateRequest {
    const NOUN: &'static str = "doctor";

    fn intent(&self) -> Intent {
        Intent::Read
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        let read = engine.clock_reading();
        let waiting =
            engine.store().waiting().await.map_err(|error| format!("the database cannot be read: {error}"))?;
        let state = KnownState {
            behind_seconds: read.trusted.since(read.wall) / SECOND,
            waiting: waiting.messages,
            oldest_seconds: waiting.oldest.map_or(0, |oldest| engine.now().since(oldest).max(0)) / SECOND,
        };
        Ok(Report::lines(json!(state), Vec::new()))
    }
}
