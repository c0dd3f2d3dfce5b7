//! `/dev/clock`: a tester reads the world's clock, sets it, moves it and stops it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use domain::model::time::SECOND;
use serde::Deserialize;
use serde_json::{Value, json};
use store::DevClock;

use super::problem::Problem;
use super::world::DevWorld;

/// What time it is.
pub(super) async fn read(State(world): State<Arc<DevWorld>>) -> Json<Value> {
    Json(clock_now(&world))
}

fn clock_now(world: &DevWorld) -> Value {
    let now = world.now();
    json!({
        "now": onelogin::wire_time::with_millis(now.0),
        "unix_ms": now.0,
        "offset_seconds": world.clock.offset() / SECOND,
        "frozen": world.clock.frozen().is_some(),
    })
}

/// A change of the clock: it is set, moved, then stopped or started.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wind {
    set: Option<String>,
    advance_seconds: Option<i64>,
    freeze: Option<bool>,
}

/// Furthest the clock can be moved from the machine's, in milliseconds: a hundred years.
const MAX_OFFSET: u64 = 100 * 365 * 86_400 * 1_000;

/// Advice on a request that cannot be read.
const CLOCK_BODY: &str =
    "send {\"advance_seconds\":31}, {\"set\":\"2027-01-01T00:00:00Z\"}, {\"freeze\":true} or several of them";

/// Sets, moves, stops or starts the clock.
pub(super) async fn write(State(world): State<Arc<DevWorld>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let wind: Wind = serde_json::from_slice(&body).map_err(|_| Problem::bad(CLOCK_BODY))?;
    if wind.set.is_none() && wind.advance_seconds.is_none() && wind.freeze.is_none() {
        return Err(Problem::bad(CLOCK_BODY));
    }
    let before = world.now();
    let real = engine::Clock::now(&engine::clock::SystemClock);
    let mut clock = DevClock { offset: world.clock.offset(), frozen: world.clock.frozen() };
    if let Some(text) = &wind.set {
        let at =
            onelogin::wire_time::read(text).ok_or_else(|| Problem::bad("set is a time as 2027-01-01T00:00:00Z"))?;
        clock.offset = at - clock.frozen.unwrap_or(real).0;
    }
    let moved = wind.advance_seconds.unwrap_or_default().checked_mul(SECOND);
    let offset = moved.and_then(|moved| clock.offset.checked_add(moved));
    clock.offset = offset.filter(|offset| offset.unsigned_abs() <= MAX_OFFSET).ok_or_else(|| {
        let hint = "a dev world's clock goes a hundred years either way";
        Problem::new(StatusCode::BAD_REQUEST, "dev.too_far", "that is too far away", hint)
    })?;
    match wind.freeze {
        Some(true) => clock.frozen = clock.frozen.or(Some(real)),
        // It continues from where it was stopped.
        Some(false) => {
            if let Some(at) = clock.frozen.take() {
                clock.offset -= real.since(at);
            }
        }
        None => {}
    }
    world.store().set_dev_clock(clock).await?;
    world.turn(clock);
    if world.now() < before {
        // In a dev world, a clock that was set back is trusted.
        world.engine().accept_clock().await?;
    }
    Ok(Json(clock_now(&world)))
}
