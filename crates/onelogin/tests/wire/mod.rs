//! Calls to an in-process server, and their exchanges as text that is the same in every run.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt;

use countersign_onelogin::CompatProfile;
use domain::model::totp::Totp;
use domain::{Scope, Secret, Timestamp};
use serde_json::Value;
pub(crate) use testkit::Script;
use testkit::{Exchange, Setup, TestServer};

// Names of values that are drawn by chance, as they are written in expectations.
const UUID: &str = "<uuid>";
const HEX_40: &str = "<40 hex>";
const BASE32: &str = "<base32>";

/// A server with one user in view.
pub(crate) struct Wire {
    pub(crate) server: TestServer,
    pub(crate) user: i64,
    profile: CompatProfile,
}

impl Wire {
    /// A dev world as it comes.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// A dev world with differences.
    pub(crate) async fn start_with(setup: Setup) -> Self {
        let server = TestServer::start_with(setup).await;
        let user = server.user(1).id;
        Self { server, user, profile: CompatProfile::Default }
    }

    /// The same server, called by a client of this profile from now on.
    pub(crate) fn speaking(self, profile: CompatProfile) -> Self {
        Self { profile, ..self }
    }

    /// A call under `/api/1/users/{user}`, or `/api/2/mfa/users/{user}` where the path begins with `2`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Told {
        let script = Script::new(method, &self.path(path));
        let script = if body.is_empty() { script } else { script.json(body) };
        let token = match self.profile {
            CompatProfile::Default => self.server.token(Scope::ManageAll).await,
            other => self.server.profile_token(other).await,
        };
        self.send(script.header("authorization", &format!("Bearer {token}"))).await
    }

    /// The same by a client of this scope.
    pub(crate) async fn call_as(&self, scope: Scope, method: &str, path: &str, body: &str) -> Told {
        let token = self.server.token(scope).await;
        let script = Script::new(method, &self.path(path)).json(body);
        self.send(script.header("authorization", &format!("Bearer {token}"))).await
    }

    /// A call as it is, and what every answer must have.
    pub(crate) async fn send(&self, script: Script) -> Told {
        let exchange = self.server.send(script).await;
        assert!(exchange.header("x-request-id").is_some(), "{exchange}");
        let kind = exchange.header("content-type");
        if exchange.text.is_empty() {
            assert_eq!((exchange.status.as_u16(), kind), (204, None), "{exchange}");
        } else {
            assert!(kind.is_some_and(|kind| kind.starts_with("application/json")), "{exchange}");
            assert_ne!(exchange.json(), Value::Null, "{exchange}");
        }
        Told(exchange)
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        self.call("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Told {
        self.call("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Told {
        self.call("PUT", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Told {
        self.call("DELETE", path, "").await
    }

    fn path(&self, path: &str) -> String {
        match path.split_once('/') {
            Some(("1", rest)) => format!("/api/1/users/{}/{rest}", self.user),
            Some(("2", rest)) => format!("/api/2/mfa/users/{}/{rest}", self.user),
            _ => path.to_owned(),
        }
    }

    /// The number of the newest message, to wait for those after it.
    pub(crate) async fn newest_message(&self) -> i64 {
        let outbox = self.server.send(Script::get("/dev/outbox")).await.json();
        outbox.as_array().and_then(|all| all.last()).and_then(|message| message["id"].as_i64()).unwrap_or(0)
    }

    /// The first message on a channel after the one of this number.
    pub(crate) async fn message(&self, channel: &str, after: i64) -> Value {
        let messages = self.server.outbox(&format!("channel={channel}&after={after}")).await;
        messages.into_iter().next().unwrap_or_else(|| panic!("no {channel} after message {after}"))
    }

    /// Makes a call and gives the code that it sent.
    pub(crate) async fn sent(&self, channel: &str, call: impl Future<Output = Told>) -> (Told, String) {
        let after = self.newest_message().await;
        let told = call.await;
        let message = self.message(channel, after).await;
        (told, message["code"].as_str().unwrap_or_default().to_owned())
    }

    /// A call to the dev world's phone or telephone.
    pub(crate) async fn dev(&self, path: &str, body: &str) -> Value {
        let exchange = self.server.send(Script::post(path).json(body)).await;
        assert_eq!(exchange.status.as_u16(), 200, "{exchange}");
        exchange.json()
    }

    /// Enrols an authenticator app over v2; gives its device id and the app.
    pub(crate) async fn totp(&self) -> (String, App) {
        let started = self.post("2/registrations", r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
        let app = App::reading(&started.single()["factor_data"]);
        let code = app.code(self.server.now());
        let done =
            self.put(&format!("2/registrations/{}", started.text("id")), &format!(r#"{{"otp":"{code}"}}"#)).await;
        self.server.advance(60);
        (done.text("device_id"), app)
    }

    /// Enrols a device over v1; gives its id, which is a number in the log-in flow.
    pub(crate) async fn enrolled(&self, body: &str) -> (i64, Told) {
        let told = self.post("1/otp_devices", body).await;
        (told.single()["id"].as_i64().expect("a device has an id"), told)
    }

    /// An authenticator app in use, whose next code is fresh.
    pub(crate) async fn app(&self) -> (i64, App) {
        let (device, told) = self.enrolled(r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
        let app = App::reading(&told.single()["factor_data"]);
        let confirm = format!(r#"{{"otp_token":"{}"}}"#, app.code(self.server.now()));
        assert_eq!(self.post(&format!("1/otp_devices/{device}/verify"), &confirm).await.status(), 200);
        self.server.advance(60);
        (device, app)
    }

    /// The state token of a log-in under way.
    pub(crate) async fn under_way(&self) -> String {
        let user = self.server.user(1);
        let body = serde_json::json!({
            "username_or_email": user.username,
            "password": user.password,
            "subdomain": "acme",
        });
        let path = "/api/1/login/auth";
        self.call_as(Scope::Authenticate, "POST", path, &body.to_string()).await.text("state_token")
    }

    /// How the messages of the day stand: whose, how many, and the alarm in percent.
    pub(crate) async fn budgets(&self) -> Vec<(engine::BudgetOwner, i64, u8)> {
        let budgets = self.server.world.engine().message_budgets().await.expect("they are read");
        budgets.into_iter().map(|budget| (budget.owner, budget.taken, budget.alarm)).collect()
    }

    /// Enrols an SMS device over v2 without asking it anything; gives its device id.
    pub(crate) async fn sms(&self) -> String {
        let body = r#"{"factor_id":2,"display_name":"Ben's phone","verified":true}"#;
        self.post("2/registrations", body).await.text("device_id")
    }
}

/// An authenticator app.
pub(crate) struct App(Totp);

impl App {
    /// An app that scanned the address in a `factor_data`.
    pub(crate) fn reading(factor_data: &Value) -> Self {
        let token = factor_data["verification_token"].as_str().expect("a secret");
        let secret = data_encoding::BASE32_NOPAD.decode(token.as_bytes()).expect("Base32");
        Self(Totp::with_secret(Secret::new(secret)))
    }

    /// The code it shows.
    pub(crate) fn code(&self, now: Timestamp) -> String {
        self.0.code(now)
    }

    /// A code that it shows in none of the steps around.
    pub(crate) fn wrong(&self, now: Timestamp) -> String {
        let near: Vec<_> = (-3..=3).map(|step| self.code(now.plus(step * 30_000))).collect();
        (0..10).map(|n| format!("00000{n}")).find(|code| !near.contains(code)).expect("ten codes are not all near")
    }
}

/// Another code of the same form.
pub(crate) fn other(code: &str) -> String {
    let last = if code.ends_with('2') { "3" } else { "2" };
    format!("{}{last}", &code[..code.len() - 1])
}

/// An exchange. Displayed as method, path, request body, status, wait and answer body, without what chance has drawn.
pub(crate) struct Told(pub(crate) Exchange);

impl Told {
    /// The answer's body.
    pub(crate) fn json(&self) -> Value {
        self.0.json()
    }

    /// The answer's one element, in whichever version's wrapping.
    pub(crate) fn single(&self) -> Value {
        let json = self.0.json();
        let data = json.get("data").unwrap_or(&json);
        let data = data.get("otp_devices").unwrap_or(data);
        data.get(0).unwrap_or(data).clone()
    }

    /// A member of the answer's one element, as text.
    pub(crate) fn text(&self, member: &str) -> String {
        match &self.single()[member] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => panic!("{member} is {other} in {}", self.0),
        }
    }

    /// The answer's status and body.
    pub(crate) fn answer(&self) -> String {
        let text = self.to_string();
        text.split_once("→ ").map(|(_, answer)| answer.to_owned()).unwrap_or_default()
    }

    /// The answer's status.
    pub(crate) fn status(&self) -> u16 {
        self.0.status.as_u16()
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exchange = self.0.to_string();
        let kept = exchange.lines().filter(|line| {
            !["content-type: ", "content-length: ", "x-ratelimit-"].iter().any(|header| line.starts_with(header))
        });
        f.write_str(&masked(&kept.collect::<Vec<_>>().join("\n")))
    }
}

/// The text with UUIDs, tokens and secrets named instead of shown.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut word = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_alphanumeric() || character == '-' {
            word.push(character);
            continue;
        }
        masked.push_str(name_of(&word).unwrap_or(&word));
        word.clear();
        masked.push(character);
    }
    masked.trim_end().to_owned()
}

fn name_of(word: &str) -> Option<&'static str> {
    let all = |allowed: fn(u8) -> bool| word.bytes().all(allowed);
    match word.len() {
        36 if word.bytes().filter(|byte| *byte == b'-').count() == 4 => Some(UUID),
        40 if all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => Some(HEX_40),
        32 if all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')) => Some(BASE32),
        _ => None,
    }
}

/// Exchanges one after the other.
pub(crate) fn transcript<const N: usize>(exchanges: [Told; N]) -> String {
    exchanges.map(|told| told.to_string()).join("\n\n")
}
