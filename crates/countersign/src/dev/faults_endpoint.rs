//! `/dev/faults`: a tester makes the gateway slow or lets it fail, and sees what was played.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use domain::Channel;
use domain::model::time::SECOND;
use serde::Deserialize;
use serde_json::Value;

use super::outbox;
use super::problem::Problem;
use super::world::DevWorld;

/// The longest delay, in milliseconds.
const LONGEST: i64 = 3_600 * SECOND;

/// Advice on a request that cannot be read.
const BODY: &str =
    "send {\"channel\":\"sms\",\"delay\":\"8s\",\"fail\":0.2}; delay and fail keep their value if they are absent";

/// How each channel is set, and what was played.
pub(super) async fn read(State(world): State<Arc<DevWorld>>) -> Json<Value> {
    Json(world.faults.shown())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    channel: String,
    delay: Option<String>,
    fail: Option<f64>,
}

/// Sets one channel.
pub(super) async fn write(State(world): State<Arc<DevWorld>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let change: Change = serde_json::from_slice(&body).map_err(|_| Problem::bad(BODY))?;
    let channel = Channel::from_name(&change.channel).ok_or_else(|| Problem::bad(outbox::CHANNELS))?;
    if change.delay.is_none() && change.fail.is_none() {
        return Err(Problem::bad(BODY));
    }
    let delay = change.delay.as_deref().map(|text| {
        let delay = outbox::milliseconds(text).filter(|delay| *delay <= LONGEST);
        delay.ok_or_else(|| Problem::bad("delay is a time such as 8s or 500ms, at most 3600s"))
    });
    if change.fail.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Problem::bad("fail is the share of messages that fail, from 0 to 1"));
    }
    world.faults.set(channel, delay.transpose()?, change.fail);
    Ok(Json(world.faults.shown()))
}
