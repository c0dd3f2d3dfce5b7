//! What a person does with the messages of the outbox: answers prompts, keys digits into calls, pairs the simulated phone.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use domain::model::audit::Actor;
use domain::rules::factor::push::PushDecision;
use domain::{Channel, DeviceId, FactorResponse, KeyedDigits, Outcome, Reason, UserId};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{DevFilter, DevMessage};

use super::phone::Phone;
use super::phone_calls::{Asked, PhoneCalls};
use super::problem::Problem;
use super::world::DevWorld;

/// The query of an answer.
#[derive(Deserialize)]
pub(super) struct OfUser {
    user_id: Option<i64>,
    /// The number that the person types, if the prompt asks for one.
    number: Option<String>,
}

/// Accepts the prompt of this message: `POST /dev/outbox/{id}/accept`.
pub(super) async fn accept(
    State(world): State<Arc<DevWorld>>,
    Path(id): Path<i64>,
    Query(of): Query<OfUser>,
) -> Result<Json<Value>, Problem> {
    answer(&world, &message(&world, id).await?, PushDecision::Accept, of.number).await
}

/// Denies the prompt of this message: `POST /dev/outbox/{id}/deny`.
pub(super) async fn deny(State(world): State<Arc<DevWorld>>, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    answer(&world, &message(&world, id).await?, PushDecision::Deny, None).await
}

/// Reports that somebody else asks with this message: `POST /dev/outbox/{id}/report`.
pub(super) async fn report(State(world): State<Arc<DevWorld>>, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    answer(&world, &message(&world, id).await?, PushDecision::Report, None).await
}

/// Accepts the newest prompt that waits for the simulated phone: `POST /dev/phone/accept`.
pub(super) async fn accept_newest(
    State(world): State<Arc<DevWorld>>,
    Query(of): Query<OfUser>,
) -> Result<Json<Value>, Problem> {
    answer(&world, &newest_waiting(&world, of.user_id).await?, PushDecision::Accept, of.number).await
}

/// Denies the newest prompt that waits for the simulated phone: `POST /dev/phone/deny`.
pub(super) async fn deny_newest(
    State(world): State<Arc<DevWorld>>,
    Query(of): Query<OfUser>,
) -> Result<Json<Value>, Problem> {
    answer(&world, &newest_waiting(&world, of.user_id).await?, PushDecision::Deny, None).await
}

/// Reports that somebody else asks with the newest prompt: `POST /dev/phone/report`.
pub(super) async fn report_newest(
    State(world): State<Arc<DevWorld>>,
    Query(of): Query<OfUser>,
) -> Result<Json<Value>, Problem> {
    answer(&world, &newest_waiting(&world, of.user_id).await?, PushDecision::Report, None).await
}

async fn message(world: &DevWorld, id: i64) -> Result<DevMessage, Problem> {
    let messages =
        world.store().dev_outbox(&DevFilter { after: Some(id.saturating_sub(1)), ..DevFilter::default() }).await?;
    messages
        .into_iter()
        .find(|m| m.id == id)
        .ok_or_else(|| Problem::missing("no message of this id in the outbox", "GET /dev/outbox lists them"))
}

/// The newest push that waits for the simulated phone. The caller may have triggered it just now, so this waits a second for
/// its message.
async fn newest_waiting(world: &DevWorld, user: Option<i64>) -> Result<DevMessage, Problem> {
    const LOOKS: usize = 40;
    let filter = DevFilter { channel: Some(Channel::Push), user_id: user.map(UserId), ..DevFilter::default() };
    let mut of_others = None;
    for _ in 0..LOOKS {
        let calls = PhoneCalls::of(world)?;
        let mut asked = BTreeMap::<DeviceId, Vec<Asked>>::new();
        for message in world.store().dev_outbox(&filter).await?.into_iter().rev() {
            let Some(device) = message.device_id else { continue };
            if !calls.has(device) {
                if is_open(world, &message).await? {
                    of_others.get_or_insert(message);
                }
                continue;
            }
            let waiting = match asked.entry(device) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(calls.requests(message.user_id, device).await?),
            };
            let id = message.verification_id.to_string();
            if waiting.iter().any(|prompt| prompt.id == id) {
                return Ok(message);
            }
        }
        engine::Clock::sleep(&engine::clock::SystemClock, 25).await;
    }
    // One that waits for another phone: the answer to it says so.
    of_others.ok_or_else(|| {
        Problem::missing("no push is waiting for an answer", "trigger one first; ?user_id= picks a user's")
    })
}

async fn is_open(world: &DevWorld, message: &DevMessage) -> Result<bool, Problem> {
    let view = world.store().view(message.user_id).await?;
    Ok(view.verification(message.verification_id).is_some_and(|asked| asked.is_open(world.engine().now())))
}

async fn answer(
    world: &DevWorld,
    message: &DevMessage,
    decision: PushDecision,
    number: Option<String>,
) -> Result<Json<Value>, Problem> {
    let (nonce, device) =
        message.nonce.as_deref().zip(message.device_id).ok_or_else(|| Problem::bad("this message is not a push"))?;
    let calls = PhoneCalls::of(world)?;
    if !calls.has(device) {
        return Err(Problem::missing(
            "the simulated phone is not paired as this device",
            "POST /dev/phone/pair with the enrolment's answer",
        ));
    }
    let waiting = calls.requests(message.user_id, device).await?;
    let id = message.verification_id.to_string();
    let digits = waiting.iter().find(|prompt| prompt.id == id).map_or(0, |prompt| prompt.digits);
    if decision == PushDecision::Accept && digits > 0 && number.is_none() {
        let what = "this prompt asks for the number that the client shows: add ?number=NN";
        return Err(Problem::bad(what));
    }
    let said = (decision, number.filter(|_| digits > 0));
    let state = calls.answer(device, (message.verification_id, nonce), said).await?;
    let status = match state.as_str() {
        "accepted" => "accepted",
        "denied" | "reported" | "wrong_number" => "rejected",
        "over" => return Err(not_answered(Reason::NotOpen.name())),
        other => return Err(not_answered(other)),
    };
    Ok(answered(message, status))
}

fn not_answered(reason: &str) -> Problem {
    let why = format!("not answered: {reason}");
    Problem::new(StatusCode::CONFLICT, "dev.not_answered", why, "trigger the factor once more")
}

fn answered(message: &DevMessage, status: &str) -> Json<Value> {
    Json(json!({ "message_id": message.id, "verification_id": message.verification_id, "status": status }))
}

#[derive(Deserialize)]
struct Keyed {
    digits: Value,
}

/// Keys digits into the call of this message: `POST /dev/outbox/{id}/keypad`.
pub(super) async fn keypad(
    State(world): State<Arc<DevWorld>>,
    Path(id): Path<i64>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let keyed: Keyed = serde_json::from_slice(&body).map_err(|_| Problem::bad("send {\"digits\":\"123456\"}"))?;
    let digits = keyed.digits.as_str().ok_or_else(|| Problem::bad("digits is a text, as \"012345\""))?;
    let message = message(&world, id).await?;
    if message.channel != Channel::Voice {
        return Err(Problem::bad("this message is not a call"));
    }
    let keyed = KeyedDigits { to: message.to.clone(), digits: FactorResponse::typed(digits) };
    if keyed.digits.is_absent() {
        // As when a caller presses no key: nothing is counted, and the call goes on (contract 18.9).
        let what = "no digits were keyed, so nothing is counted: send {\"digits\":\"123456\"}";
        return Err(Problem::bad(what));
    }
    // A person's telephone has no client.
    let caller = Actor { request: web::request_id::current().map(Arc::from), ..Actor::default() };
    let call = world.engine().answer_call(message.verification_id, &keyed, caller).await?;
    let call = call.ok_or_else(|| Problem::bad("this call went to another number than the device's"))?;
    match call.outcome {
        Outcome::Accepted { .. } => Ok(answered(&message, "accepted")),
        Outcome::Refused(Reason::Denied | Reason::WrongCode) => Ok(answered(&message, "rejected")),
        Outcome::Pending { .. } => Ok(answered(&message, "pending")),
        Outcome::Refused(reason) => Err(not_answered(reason.name())),
    }
}

/// `GET /dev/phone`: as which devices the simulated phone is paired.
pub(super) async fn phone(State(world): State<Arc<DevWorld>>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "device_ids": world.phone.devices()? })))
}

/// Pairs the simulated phone with the device of an enrolment: `POST /dev/phone/pair`.
pub(super) async fn pair(State(world): State<Arc<DevWorld>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let json: Value = serde_json::from_slice(&body).map_err(|_| Problem::bad("send the enrolment's answer as JSON"))?;
    let code = pairing_code(&json)
        .ok_or_else(|| Problem::bad("the body holds no factor_data.verification_token; send the enrolment's answer"))?;
    let key = Phone::fresh_key(&*world.chance);
    let paired = PhoneCalls::of(&world)?.pair(&code, &key).await?;
    let (user, device) =
        paired.ok_or_else(|| Problem::missing("this pairing code is unknown or over", "enrol again"))?;
    world.phone.remember(device, &key)?;
    Ok(Json(json!({ "paired": true, "user_id": user, "device_id": device })))
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
