//! Which calls have reached the API of a dev world, and why some of them were refused. They are kept in memory, without what
//! they carried: no query, no header, no body, so no secret and no code.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use domain::{Client, ClientId, Timestamp};
use engine::clock::SystemClock;
use engine::{Clock as _, Engine};
use serde_json::{Value, json};
use store::{EventFilter, EventPage};
use tokio::sync::Notify;
use web::door::{Answering, Door};
use web::peer::Peer;

/// How many calls are kept.
const KEPT: usize = 200;
/// Characters of a path that are kept.
const PATH: usize = 200;
/// Entries of the audit trail among which that of a refused call is looked for.
const ENTRIES: u32 = 50;

/// The calls that were answered last.
#[derive(Debug, Default)]
pub(super) struct Requests {
    kept: Mutex<Kept>,
    pub(super) arrived: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    last: i64,
    calls: VecDeque<(i64, Value)>,
}

impl Requests {
    fn keep(&self, mut call: Value) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last += 1;
        let id = kept.last;
        call["id"] = id.into();
        kept.calls.push_back((id, call));
        if kept.calls.len() > KEPT {
            kept.calls.pop_front();
        }
        drop(kept);
        self.arrived.notify_waiters();
    }

    /// The calls after this one, oldest first.
    pub(super) fn after(&self, id: i64) -> Vec<Value> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.calls.iter().filter(|(kept, _)| *kept > id).map(|(_, call)| call.clone()).collect()
    }
}

/// The API's door, which notes what passes. Only a dev world has it.
pub(super) struct RecordingDoor {
    pub(super) api: Arc<dyn Door>,
    pub(super) engine: Arc<Engine>,
    pub(super) requests: Arc<Requests>,
}

/// The answer with the world's time as its date, so that a moved clock is seen, and a stopped one gives the same bytes.
pub(super) fn dated(mut answer: Response, at: Timestamp) -> Response {
    if let Ok(date) = HeaderValue::from_str(&onelogin::wire_time::http_date(at.0)) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

impl Door for RecordingDoor {
    fn takes(&self, path: &str) -> bool {
        self.api.takes(path)
    }

    fn body_bytes(&self) -> usize {
        self.api.body_bytes()
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        self.api.refusal(status)
    }

    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_> {
        let path = request.uri().path();
        if matches!(path.trim_end_matches('/'), "/docs" | "/openapi.json") {
            return self.api.answer(request, peer);
        }
        let (method, path) = (request.method().clone(), path.chars().take(PATH).collect::<String>());
        let credentials = path.starts_with("/auth/").then(|| (request.headers().clone(), request.body().clone()));
        Box::pin(async move {
            let (at, begun) = (self.engine.now(), SystemClock.now());
            let answer = self.api.answer(request, peer).await;
            let took = SystemClock.now().since(begun).max(0);
            let refused = answer.status().is_client_error() || answer.status().is_server_error();
            let mut reason = onelogin::refusal_reason(&answer).filter(|_| refused).map(str::to_owned);
            let client = self.client(onelogin::answered_client(&answer), credentials.as_ref()).await;
            let id = web::request_id::current().map(|id| id.as_str().to_owned());
            let (message, answer) = if refused { said(answer).await } else { (None, answer) };
            if refused && let Some(rule) = self.rule(id.as_deref()).await {
                reason = Some(rule);
            }
            self.requests.keep(json!({
                "at": onelogin::wire_time::with_millis(at.0),
                "method": method.as_str(),
                "path": path,
                "status": answer.status().as_u16(),
                "ms": took,
                "client": client.as_ref().map(|client| client.name.as_str()),
                "client_id": client.as_ref().map(|client| client.client_id.as_str()),
                "reason": reason,
                "message": message,
                "request_id": id,
            }));
            dated(answer, at)
        })
    }
}

/// Shows the door alone.
impl std::fmt::Debug for RecordingDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordingDoor({:?})", self.api)
    }
}

impl RecordingDoor {
    /// Whose call it was: of the client with this token, or of one whose id is in the credentials of a token call.
    async fn client(&self, token: Option<ClientId>, credentials: Option<&(HeaderMap, Bytes)>) -> Option<Client> {
        let known = self.engine.clients().await.ok()?;
        if let Some(id) = token {
            return known.into_iter().find(|client| client.id == id);
        }
        let (headers, body) = credentials?;
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let basic = header.strip_prefix("Basic ").map(|text| data_encoding::BASE64.decode(text.trim().as_bytes()));
        let basic = basic.and_then(Result::ok).unwrap_or_default();
        let places = [header.as_bytes(), &basic, body];
        let is_named = |client: &Client| places.iter().any(|place| holds(place, client.client_id.as_bytes()));
        known.into_iter().find(is_named)
    }

    /// The rule that refused, as the audit trail has it. It says more than the answer may.
    async fn rule(&self, request: Option<&str>) -> Option<String> {
        let request = request?;
        let page = EventPage { beyond: None, descending: true, limit: ENTRIES };
        let found = self.engine.store().events(&EventFilter::default(), page).await.ok()?;
        let mut entries = found.entries.into_iter().map(|(_, entry)| entry);
        entries.find(|entry| entry.request.as_deref() == Some(request) && entry.rule.is_some())?.rule
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

/// The message of an error, and the answer again.
async fn said(answer: Response) -> (Option<String>, Response) {
    let (parts, body) = answer.into_parts();
    // Errors are in memory as a whole.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let message = serde_json::from_slice::<Value>(&body).ok().and_then(|error| message_of(&error));
    (message, Response::from_parts(parts, Body::from(body)))
}

/// The sentence of an error of either version.
fn message_of(error: &Value) -> Option<String> {
    let message = error.pointer("/status/message").or_else(|| error.get("message"))?;
    match message {
        Value::String(text) => Some(text.clone()),
        Value::Object(parts) => parts.get("description").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_hundred_calls_are_kept_and_ids_go_on() {
        let requests = Requests::default();
        for _ in 0..KEPT + 5 {
            requests.keep(json!({}));
        }
        let all = requests.after(0);
        assert_eq!((all.len(), all[0]["id"].as_i64()), (KEPT, Some(6)));
        assert_eq!(requests.after(203).len(), 2);
        assert!(requests.after(205).is_empty());
    }

    #[test]
    fn the_message_of_either_version_is_found() {
        for (error, message) in [
            (json!({"status":{"message":"Authentication Failure"}}), Some("Authentication Failure")),
            (json!({"status":{"message":{"attribute":"name","description":"can't be blank"}}}), Some("can't be blank")),
            (json!({"statusCode":422,"message":"Validations failed"}), Some("Validations failed")),
            (json!([]), None),
        ] {
            assert_eq!(message_of(&error).as_deref(), message);
        }
    }
}
