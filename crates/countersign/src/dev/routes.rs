//! The dev endpoints: outbox, phone, clock, faults, reset.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{MethodRouter, any, get, post, put};
use axum::{Json, Router, middleware};
use domain::model::audit::Actor;
use domain::model::time::SECOND;
use domain::rules::factor::push::PushDecision;
use domain::{Channel, FactorResponse, KeyedDigits, Outcome, Reason, UserId};
use onelogin::{RouteBeside, RoutesBeside};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{DevClock, DevFilter, DevMessage};

use super::guard::{self, Guard};
use super::problem::Problem;
use super::world::DevWorld;
use super::{faults_endpoint, gallery, outbox, phone, start};

type Handler = fn() -> MethodRouter<Arc<DevWorld>>;

const USER: (&str, &str) = ("user_id", "The user whose newest prompt it is; any user's without it");
const NUMBER: (&str, &str) = ("number", "The number that the person types, if the prompt asks for one");

/// Every endpoint for programs, with its description: `/docs` and the router are made from this one list.
const ENDPOINTS: &[(RouteBeside, Handler)] = &[
    (
        RouteBeside {
            query: &[
                ("to", "Messages to this number or address"),
                ("channel", "`sms`, `voice`, `email` or `push`"),
                ("user_id", "Messages to this user"),
                ("after", "Messages with a larger id"),
                ("wait", "How long to wait for the first one, as `10s` or `500ms`; at most 25 s"),
            ],
            ..about("GET", "/dev/outbox", "List messages, calls and prompts, oldest first; a browser gets a page")
        },
        || get(outbox::list),
    ),
    (RouteBeside { query: &[NUMBER], ..about("POST", "/dev/outbox/{id}/accept", "Accept this prompt") }, || {
        post(accept)
    }),
    (about("POST", "/dev/outbox/{id}/deny", "Deny this prompt"), || post(deny)),
    (about("POST", "/dev/outbox/{id}/report", "Report that somebody else asks with this prompt"), || post(report)),
    (
        RouteBeside {
            body: &[("digits", "The digits, as a text")],
            ..about("POST", "/dev/outbox/{id}/keypad", "Key digits into this call")
        },
        || post(keypad),
    ),
    (
        RouteBeside {
            body: &[(
                "factor_data",
                "An object with the `verification_token` of the enrolment; its whole answer will do",
            )],
            ..about("POST", "/dev/phone/pair", "Pair the simulated phone")
        },
        || post(pair),
    ),
    (RouteBeside { query: &[USER, NUMBER], ..about("POST", "/dev/phone/accept", "Accept the newest prompt") }, || {
        post(accept_newest)
    }),
    (RouteBeside { query: &[USER], ..about("POST", "/dev/phone/deny", "Deny the newest prompt") }, || {
        post(deny_newest)
    }),
    (
        RouteBeside {
            query: &[USER],
            ..about("POST", "/dev/phone/report", "Report that somebody else asks with the newest prompt")
        },
        || post(report_newest),
    ),
    (about("GET", "/dev/clock", "Read the clock"), || get(clock)),
    (
        RouteBeside {
            body: &[
                ("set", "The time that it is now, as `2027-01-01T00:00:00Z`"),
                ("advance_seconds", "Seconds to move the clock by"),
                ("freeze", "`true` stops the clock, `false` lets it continue"),
            ],
            ..about("PUT", "/dev/clock", "Set, move, stop or start the clock")
        },
        || put(wind),
    ),
    (about("GET", "/dev/faults", "Read what goes wrong on each channel, and which faults were played"), || {
        get(faults_endpoint::read)
    }),
    (
        RouteBeside {
            body: &[
                ("channel", "`sms`, `voice`, `email` or `push`"),
                ("delay", "How much later messages arrive, as `8s` or `500ms`; at most an hour"),
                ("fail", "The share of messages that fail, from 0 to 1"),
            ],
            ..about("PUT", "/dev/faults", "Delay or fail the messages of a channel")
        },
        || put(faults_endpoint::write),
    ),
    (
        about(
            "POST",
            "/dev/reset",
            "Delete devices, tokens, limits and messages, end all faults, and reset the clock; users and clients stay",
        ),
        || post(reset),
    ),
];

const fn about(method: &'static str, path: &'static str, summary: &'static str) -> RouteBeside {
    RouteBeside { method, path, summary, query: &[], body: &[] }
}

/// The endpoints, for `/docs` of a dev world.
pub(super) fn described() -> RoutesBeside {
    RoutesBeside {
        tag: "Dev world",
        about: "Only `countersign dev` has these. They need no access token; a world that serves other machines wants its key, \
                as the header `X-Dev-Key`.",
        routes: ENDPOINTS.iter().map(|(about, _)| *about).collect(),
    }
}

/// The routes behind the guard: the endpoints, and the pages with what they load.
fn routes(world: Arc<DevWorld>, guard: Guard) -> Router {
    let endpoints =
        ENDPOINTS.iter().fold(Router::new(), |router, (about, handler)| router.route(about.path, handler()));
    endpoints
        .route("/dev/outbox/", get(outbox::list))
        .route("/dev/pages", get(gallery::design).post(gallery::design))
        .route("/dev/pages/{name}", get(gallery::sample))
        .route("/dev/outbox.js", get(outbox::script))
        .route("/dev/outbox.css", get(outbox::style))
        .route("/dev", get(|| async { Redirect::to("/") }))
        .route("/dev/", get(|| async { Redirect::to("/") }))
        .route("/dev/{*unknown}", any(|| async { StatusCode::NOT_FOUND }))
        .route("/", get(start::page))
        .layer(middleware::from_fn_with_state(guard, guard::guarded))
        .with_state(world)
}

impl DevWorld {
    /// The dev endpoints, behind a guard.
    pub fn routes(self: &Arc<Self>, guard: Guard) -> Router {
        routes(self.clone(), guard)
    }
}

#[derive(Deserialize)]
struct OfUser {
    user_id: Option<i64>,
    /// The number that the person types, if the prompt asks for one.
    number: Option<String>,
}

async fn accept(
    State(world): State<Arc<DevWorld>>,
    Path(id): Path<i64>,
    Query(of): Query<OfUser>,
) -> Result<Json<Value>, Problem> {
    let message = message(&world, id).await?;
    answer(&world, &message, PushDecision::Accept, of.number).await
}

async fn deny(State(world): State<Arc<DevWorld>>, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    let message = message(&world, id).await?;
    answer(&world, &message, PushDecision::Deny, None).await
}

async fn accept_newest(State(world): State<Arc<DevWorld>>, Query(of): Query<OfUser>) -> Result<Json<Value>, Problem> {
    let message = newest_waiting(&world, of.user_id).await?;
    answer(&world, &message, PushDecision::Accept, of.number).await
}

async fn deny_newest(State(world): State<Arc<DevWorld>>, Query(of): Query<OfUser>) -> Result<Json<Value>, Problem> {
    let message = newest_waiting(&world, of.user_id).await?;
    answer(&world, &message, PushDecision::Deny, None).await
}

async fn report(State(world): State<Arc<DevWorld>>, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    let message = message(&world, id).await?;
    answer(&world, &message, PushDecision::Report, None).await
}

async fn report_newest(State(world): State<Arc<DevWorld>>, Query(of): Query<OfUser>) -> Result<Json<Value>, Problem> {
    let message = newest_waiting(&world, of.user_id).await?;
    answer(&world, &message, PushDecision::Report, None).await
}

async fn message(world: &DevWorld, id: i64) -> Result<DevMessage, Problem> {
    let messages =
        world.store().dev_outbox(&DevFilter { after: Some(id.saturating_sub(1)), ..DevFilter::default() }).await?;
    messages
        .into_iter()
        .find(|m| m.id == id)
        .ok_or_else(|| Problem::missing("no message of this id in the outbox", "GET /dev/outbox lists them"))
}

/// The newest push whose prompt is open. The caller may have triggered it just now, so this waits a second for its message.
async fn newest_waiting(world: &DevWorld, user: Option<i64>) -> Result<DevMessage, Problem> {
    const LOOKS: usize = 40;
    let filter = DevFilter { channel: Some(Channel::Push), user_id: user.map(UserId), ..DevFilter::default() };
    for _ in 0..LOOKS {
        for message in world.store().dev_outbox(&filter).await?.into_iter().rev() {
            if world.engine().prompt_state(message.verification_id).await?.waits {
                return Ok(message);
            }
        }
        engine::Clock::sleep(&engine::clock::SystemClock, 25).await;
    }
    Err(Problem::missing("no push is waiting for an answer", "trigger one first; ?user_id= picks a user's"))
}

async fn answer(
    world: &DevWorld,
    message: &DevMessage,
    decision: PushDecision,
    number: Option<String>,
) -> Result<Json<Value>, Problem> {
    let asked = message.nonce.as_deref().zip(message.device_id);
    let (nonce, device) = asked.ok_or_else(|| Problem::bad("this message is not a push"))?;
    let asked = world.engine().prompt_state(message.verification_id).await?.digits;
    if decision == PushDecision::Accept && asked.is_some() && number.is_none() {
        let what = "this prompt asks for the number that the client shows: add ?number=NN";
        return Err(Problem::bad(what));
    }
    let said = (decision, number.filter(|_| asked.is_some()));
    let signed = world.phone.answer(device, message.verification_id, nonce, said, world.now().0)?;
    let signed = signed.ok_or_else(|| {
        Problem::missing(
            "the simulated phone is not paired as this device",
            "POST /dev/phone/pair with the enrolment's answer",
        )
    })?;
    let outcome = world.engine().answer_prompt(message.verification_id, &signed, caller()).await?;
    answered(message, &outcome)
}

/// Who answers: a person's phone, which has no client.
fn caller() -> Actor {
    Actor { request: web::request_id::current().map(Arc::from), ..Actor::default() }
}

fn answered(message: &DevMessage, outcome: &Outcome) -> Result<Json<Value>, Problem> {
    let status = match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Refused(Reason::Denied | Reason::WrongCode) => "rejected",
        Outcome::Pending { .. } => "pending",
        Outcome::Refused(reason) => {
            let why = format!("not answered: {}", reason.name());
            return Err(Problem::new(StatusCode::CONFLICT, "dev.not_answered", why, "trigger the factor once more"));
        }
    };
    Ok(Json(json!({ "message_id": message.id, "verification_id": message.verification_id, "status": status })))
}

#[derive(Deserialize)]
struct Keyed {
    digits: Value,
}

async fn keypad(State(world): State<Arc<DevWorld>>, Path(id): Path<i64>, body: Bytes) -> Result<Json<Value>, Problem> {
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
    let call = world.engine().answer_call(message.verification_id, &keyed, caller()).await?;
    let call = call.ok_or_else(|| Problem::bad("this call went to another number than the device's"))?;
    answered(&message, &call.outcome)
}

async fn pair(State(world): State<Arc<DevWorld>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let json: Value = serde_json::from_slice(&body).map_err(|_| Problem::bad("send the enrolment's answer as JSON"))?;
    let code = pairing_code(&json)
        .ok_or_else(|| Problem::bad("the body holds no factor_data.verification_token; send the enrolment's answer"))?;
    let key = phone::Phone::fresh_key(&*world.chance);
    let signature = key.sign_pairing(&code);
    let paired = world.engine().pair_phone(&code, &key.public_key, &signature, None, caller()).await?;
    let paired = paired.ok_or_else(|| Problem::missing("this pairing code is unknown or over", "enrol again"))?;
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

async fn clock(State(world): State<Arc<DevWorld>>) -> Json<Value> {
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

async fn wind(State(world): State<Arc<DevWorld>>, body: Bytes) -> Result<Json<Value>, Problem> {
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

async fn reset(State(world): State<Arc<DevWorld>>) -> Result<Json<Value>, Problem> {
    // First, so that no message under way arrives in the new world.
    world.faults.reset();
    world.engine().trust_routes();
    world.store().dev_reset().await?;
    world.turn(DevClock::default());
    world.engine().accept_clock().await?;
    world.phone.reset()?;
    world.engine().forget_callers();
    Ok(Json(json!({ "reset": true })))
}
