//! `GET /dev/requests`: a developer sees every call of the API, and waits for the next one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use engine::Clock as _;
use engine::clock::SystemClock;
use serde::Deserialize;
use serde_json::Value;

use super::outbox;
use super::problem::Problem;
use super::world::DevWorld;

/// The query of the list.
#[derive(Debug, Deserialize)]
pub(super) struct Question {
    after: Option<i64>,
    wait: Option<String>,
}

/// The calls after one of them, oldest first; with `wait`, as soon as there is one.
pub(super) async fn list(
    State(world): State<Arc<DevWorld>>,
    Query(question): Query<Question>,
) -> Result<Json<Value>, Problem> {
    let after = question.after.unwrap_or_default();
    let deadline = SystemClock.now().plus(outbox::wait(question.wait.as_deref())?);
    loop {
        let arrival = world.requests.arrived.notified();
        let mut arrival = std::pin::pin!(arrival);
        // From here on it hears of calls, so none is missed between the look and the wait.
        arrival.as_mut().enable();
        let calls = world.requests.after(after);
        let left = deadline.since(SystemClock.now());
        if !calls.is_empty() || left <= 0 {
            return Ok(Json(calls.into()));
        }
        tokio::select! {
            () = arrival => {}
            () = SystemClock.sleep(left) => {}
        }
    }
}
