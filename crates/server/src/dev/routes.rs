//! The dev endpoints: outbox, phone, clock, reset.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use domain::factor::push::PushDecision;
use domain::time::SECOND;
use domain::{Channel, Outcome, Reason, UserId};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{DevFilter, DevMessage};

use super::{World, guard, outbox, phone};

/// The routes, for callers on this machine only.
pub(super) fn routes(world: Arc<World>) -> Router {
    Router::new()
        .route("/dev/outbox", get(outbox::list))
        .route("/dev/outbox/", get(outbox::list))
        .route("/dev/outbox.js", get(outbox::script))
        .route("/dev/outbox.css", get(outbox::style))
        .route("/dev/outbox/{id}/accept", post(accept))
        .route("/dev/outbox/{id}/deny", post(deny))
        .route("/dev/outbox/{id}/report", post(report))
        .route("/dev/outbox/{id}/keypad", post(keypad))
        .route("/dev/phone/pair", post(pair))
        .route("/dev/phone/accept", post(accept_newest))
        .route("/dev/phone/deny", post(deny_newest))
        .route("/dev/phone/report", post(report_newest))
        .route("/dev/clock", get(clock).put(advance))
        .route("/dev/reset", post(reset))
        .layer(middleware::from_fn(guard::local_only))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(world)
}

/// What went wrong with a dev endpoint: a status and what to do.
pub(super) struct Problem(StatusCode, String);

impl Problem {
    /// A request that cannot be understood.
    pub(super) fn bad(what: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, what.into())
    }

    fn missing(what: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, what.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl<E: Into<anyhow::Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error: anyhow::Error = error.into();
        tracing::error!(error = format!("{error:#}"), "a dev endpoint failed");
        Self(StatusCode::INTERNAL_SERVER_ERROR, "the dev world failed; its log has the cause".to_owned())
    }
}

#[derive(Deserialize)]
struct OfUser {
    user_id: Option<i64>,
    /// What the person types, where the prompt asks for a number.
    number: Option<String>,
}

async fn accept(
    State(world): State<Arc<World>>,
    Path(id): Path<i64>,
    Query(of): Query<OfUser>,
) -> Result<Json<Value>, Problem> {
    let message = message(&world, id).await?;
    answer(&world, &message, PushDecision::Accept, of.number).await
}

async fn deny(State(world): State<Arc<World>>, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    let message = message(&world, id).await?;
    answer(&world, &message, PushDecision::Deny, None).await
}

async fn accept_newest(State(world): State<Arc<World>>, Query(of): Query<OfUser>) -> Result<Json<Value>, Problem> {
    let message = newest_waiting(&world, of.user_id).await?;
    answer(&world, &message, PushDecision::Accept, of.number).await
}

async fn deny_newest(State(world): State<Arc<World>>, Query(of): Query<OfUser>) -> Result<Json<Value>, Problem> {
    let message = newest_waiting(&world, of.user_id).await?;
    answer(&world, &message, PushDecision::Deny, None).await
}

async fn report(State(world): State<Arc<World>>, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    let message = message(&world, id).await?;
    answer(&world, &message, PushDecision::Report, None).await
}

async fn report_newest(State(world): State<Arc<World>>, Query(of): Query<OfUser>) -> Result<Json<Value>, Problem> {
    let message = newest_waiting(&world, of.user_id).await?;
    answer(&world, &message, PushDecision::Report, None).await
}

async fn message(world: &World, id: i64) -> Result<DevMessage, Problem> {
    let messages =
        world.store().dev_outbox(&DevFilter { after: Some(id.saturating_sub(1)), ..DevFilter::default() }).await?;
    messages.into_iter().find(|m| m.id == id).ok_or_else(|| Problem::missing("no message of this id in the outbox"))
}

/// The newest push whose prompt is still open. The message may be on its way still: the caller has only just
/// triggered it.
async fn newest_waiting(world: &World, user: Option<i64>) -> Result<DevMessage, Problem> {
    const LOOKS: usize = 40;
    let filter = DevFilter { channel: Some(Channel::Push), user_id: user.map(UserId), ..DevFilter::default() };
    for _ in 0..LOOKS {
        for message in world.store().dev_outbox(&filter).await?.into_iter().rev() {
            let verification = world.store().verification_by_id(message.verification_id).await?;
            if verification.is_some_and(|v| v.is_open(world.now())) {
                return Ok(message);
            }
        }
        engine::Clock::sleep(&engine::clock::SystemClock, 25).await;
    }
    Err(Problem::missing("no push is waiting for an answer"))
}

async fn answer(
    world: &World,
    message: &DevMessage,
    decision: PushDecision,
    number: Option<String>,
) -> Result<Json<Value>, Problem> {
    let nonce = message.nonce.as_deref().ok_or_else(|| Problem::bad("this message is not a push"))?;
    let asked = world.engine().asked(message.verification_id).await?.digits;
    if decision == PushDecision::Accept && asked.is_some() && number.is_none() {
        let what = "this prompt asks for the number that the client shows: add ?number=NN";
        return Err(Problem::bad(what));
    }
    let said = (decision, number.filter(|_| asked.is_some()));
    let signed = world.phone.answer(message.device_id, message.verification_id, nonce, said, world.now().0)?;
    let signed = signed.ok_or_else(|| Problem::missing("the simulated phone is not paired as this device"))?;
    let outcome = world.engine().answer_prompt(message.verification_id, &signed).await?;
    told(message, &outcome)
}

fn told(message: &DevMessage, outcome: &Outcome) -> Result<Json<Value>, Problem> {
    let status = match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Refused(Reason::Denied | Reason::WrongCode) => "rejected",
        Outcome::Pending(_) => "pending",
        Outcome::Refused(reason) => {
            return Err(Problem(StatusCode::CONFLICT, format!("not answered: {}", reason.name())));
        }
    };
    Ok(Json(json!({ "message_id": message.id, "verification_id": message.verification_id, "status": status })))
}

#[derive(Deserialize)]
struct Keyed {
    digits: Value,
}

async fn keypad(State(world): State<Arc<World>>, Path(id): Path<i64>, body: Bytes) -> Result<Json<Value>, Problem> {
    let keyed: Keyed = serde_json::from_slice(&body).map_err(|_| Problem::bad("send {\"digits\":\"123456\"}"))?;
    let digits = keyed.digits.as_str().ok_or_else(|| Problem::bad("digits is a text, as \"012345\""))?;
    let message = message(&world, id).await?;
    if message.channel != Channel::Voice {
        return Err(Problem::bad("this message is not a call"));
    }
    let outcome = world.engine().answer_call(message.verification_id, digits).await?;
    told(&message, &outcome)
}

async fn pair(State(world): State<Arc<World>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let json: Value = serde_json::from_slice(&body).map_err(|_| Problem::bad("send the enrolment's answer as JSON"))?;
    let code = pairing_code(&json)
        .ok_or_else(|| Problem::bad("the body holds no factor_data.verification_token; send the enrolment's answer"))?;
    let key = phone::Phone::fresh_key(&*world.chance);
    let signature = key.sign_pairing(&code);
    let paired = world.engine().pair_phone(&code, &key.public_key, &signature).await?;
    let paired = paired.ok_or_else(|| Problem::missing("this pairing code is unknown or over; enrol again"))?;
    world.phone.remember(paired.device, &key)?;
    Ok(Json(json!({ "paired": true, "user_id": paired.user, "device_id": paired.device })))
}

/// The first `factor_data.verification_token` anywhere in an answer.
fn pairing_code(json: &Value) -> Option<String> {
    if let Some(code) = json.pointer("/factor_data/verification_token").and_then(Value::as_str) {
        return Some(code.trim().to_ascii_uppercase());
    }
    match json {
        Value::Object(members) => members.values().find_map(pairing_code),
        Value::Array(items) => items.iter().find_map(pairing_code),
        _ => None,
    }
}

async fn clock(State(world): State<Arc<World>>) -> Json<Value> {
    Json(clock_now(&world))
}

fn clock_now(world: &World) -> Value {
    let now = world.now();
    json!({
        "now": onelogin::wire_time::with_millis(now.0),
        "unix_ms": now.0,
        "offset_seconds": world.clock.offset() / SECOND,
    })
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: i64,
}

/// Furthest the clock can be moved from the machine's, in seconds: a hundred years.
const MAX_OFFSET: u64 = 100 * 365 * 86_400;

async fn advance(State(world): State<Arc<World>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let advance: Advance = serde_json::from_slice(&body).map_err(|_| Problem::bad("send {\"advance_seconds\":31}"))?;
    let seconds = (world.clock.offset() / SECOND).saturating_add(advance.advance_seconds);
    if seconds.unsigned_abs() > MAX_OFFSET {
        return Err(Problem::bad("that is further than a hundred years"));
    }
    let offset = seconds * SECOND;
    world.store().set_dev_clock_offset(offset).await?;
    world.clock.set_offset(offset);
    Ok(Json(clock_now(&world)))
}

async fn reset(State(world): State<Arc<World>>) -> Result<Json<Value>, Problem> {
    world.store().dev_reset().await?;
    world.clock.set_offset(0);
    world.phone.reset()?;
    world.engine().forget_callers();
    Ok(Json(json!({ "reset": true })))
}
