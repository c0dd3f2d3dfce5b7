//! The simulated phone of a dev world speaks the protocol of real phones (contract 20), and reaches the engine in no other way.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use config::{Config, FlagValues};
use countersign::dev::{DevWorld, Guard, Pinned};
use countersign::installation::{self, Intent};
use engine::chance::SystemChance;
use engine::clock::MovableClock;
use serde_json::{Value, json};
use web::door::{Answering, Door};
use web::front::Front;
use web::peer::Peer;
use web::request_id::RequestIds;

/// The door of phones, with a list of what came through it.
#[derive(Debug)]
struct Watched {
    phones: Arc<dyn Door>,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Door for Watched {
    fn takes(&self, path: &str) -> bool {
        self.phones.takes(path)
    }

    fn body_bytes(&self) -> usize {
        self.phones.body_bytes()
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        self.phones.refusal(status)
    }

    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_> {
        let body = serde_json::from_slice(request.body()).unwrap();
        self.seen.lock().unwrap().push((request.uri().path().to_owned(), body));
        self.phones.answer(request, peer)
    }
}

struct Wire {
    front: Front,
    token: String,
}

impl Wire {
    async fn send(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(path).header("host", "127.0.0.1:8080").header("content-type", "application/json");
        let request = request.header("authorization", &self.token).body(Body::from(body.to_string())).unwrap();
        let (parts, body) = self.front.answer(request).await.into_parts();
        (parts.status, serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap_or_default())
    }

    async fn expect(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }
}

/// A world, and a way to it that the world itself does not know yet.
async fn world(folder: &std::path::Path) -> (Arc<DevWorld>, Wire, Arc<Mutex<Vec<(String, Value)>>>) {
    let flags = FlagValues::default().with("data_dir", [folder.join("data").to_string_lossy()]);
    let config = Config::load(&flags).unwrap();
    let opened = installation::open(&config, Intent::Dev).await;
    let Ok(opened) = opened else { panic!("the world does not start") };
    let clock = Arc::new(MovableClock::default());
    let chance = Arc::new(SystemChance);
    let world = DevWorld::build(&config, opened, (false, &Pinned::default()), clock, chance).await.unwrap();
    let world = Arc::new(world);
    let seen = Arc::default();
    let watched = Watched { phones: world.phones(&config), seen: Arc::clone(&seen) };
    let doors: Vec<Arc<dyn Door>> = vec![world.dialect(&config), Arc::new(watched)];
    let routes = world.routes(Guard::local(false));
    let front = Front::new(doors, routes, config.limits.front, RequestIds::new("test"), onelogin::refusal);
    let client = &world.seed.clients[0];
    let credentials = format!("client_id:{}, client_secret:{}", client.client_id, client.client_secret);
    let mut wire = Wire { front, token: credentials };
    let granted = wire.expect("/auth/oauth2/v2/token", &json!({"grant_type": "client_credentials"})).await;
    wire.token = format!("bearer:{}", granted["access_token"].as_str().unwrap());
    (world, wire, seen)
}

#[tokio::test]
async fn the_simulated_phone_speaks_the_protocol_of_phones() {
    let folder = tempfile::tempdir().unwrap();
    let (world, wire, seen) = world(folder.path()).await;
    let engine = world.engine().clone();
    let background = tokio::spawn(async move { engine.send_messages().await });
    let user = world.seed.users[0].id;
    let mfa = |last: &str| format!("/api/2/mfa/users/{user}/{last}");
    let enrolled = wire.expect(&mfa("registrations"), &json!({"factor_id": 1, "display_name": "phone"})).await;

    let (status, answer) = wire.send("/dev/phone/pair", &enrolled).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "without the server's front there is no other way: {answer}");
    world.enter(&wire.front);
    let paired = wire.expect("/dev/phone/pair", &enrolled).await;
    let device = &paired["device_id"];
    let code = &enrolled["factor_data"]["verification_token"];

    for (decision, status) in [("accept", "accepted"), ("deny", "rejected"), ("report", "rejected")] {
        wire.expect(&mfa("verifications"), &json!({ "device_id": device })).await;
        let answer = wire.expect(&format!("/dev/phone/{decision}?user_id={user}"), &json!({})).await;
        assert_eq!(answer["status"], status, "{decision}: {answer}");
    }
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let (path, said) = &seen[0];
    assert_eq!((path.as_str(), &said["code"]), ("/app/pair", code));
    let paths: std::collections::BTreeSet<_> = seen.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["/app/answer", "/app/pair", "/app/requests"]);
    let answers = seen.iter().filter(|(path, _)| path == "/app/answer").map(|(_, said)| said["decision"].clone());
    assert_eq!(answers.collect::<Vec<_>>(), ["accept", "deny", "report"]);
    for (path, said) in &seen {
        assert!(said["signature"].as_str().is_some_and(|signature| !signature.is_empty()), "{path}: {said}");
    }
    background.abort();
}
