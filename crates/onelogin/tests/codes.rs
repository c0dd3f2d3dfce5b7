//! A code is the same code at every door that judges one, however it was typed, pasted or kept (contract 1.2, SEC 3).

mod wire;

use domain::Scope;
use serde_json::{Value, json};
use wire::{App, Told, Wire, other};

/// Every door that judges a typed code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    V1App,
    V1Text,
    V1TemporaryToken,
    V2Registration,
    V2RegistrationByText,
    V2ByVerification,
    V2ByVerificationOfAnApp,
    V2CodeAlone,
    V2TemporaryTokenAlone,
    V2CodeOfADevice,
    LogIn(&'static str),
    LogInByText,
    LogInWithTemporaryToken(bool),
    Assertion(&'static str),
    Smart,
}

const DOORS: [Door; 19] = [
    Door::V1App,
    Door::V1Text,
    Door::V1TemporaryToken,
    Door::V2Registration,
    Door::V2RegistrationByText,
    Door::V2ByVerification,
    Door::V2ByVerificationOfAnApp,
    Door::V2CodeAlone,
    Door::V2TemporaryTokenAlone,
    Door::V2CodeOfADevice,
    Door::LogIn("/api/1/login/verify_factor"),
    Door::LogIn("/api/2/login/verify_factor"),
    Door::LogInByText,
    Door::LogInWithTemporaryToken(false),
    Door::LogInWithTemporaryToken(true),
    Door::Assertion("/api/1/saml_assertion"),
    Door::Assertion("/api/2/saml_assertion"),
    Door::Assertion("/api/2/saml-assertions"),
    Door::Smart,
];

impl Door {
    /// Temporary tokens never begin with a zero, and are eight digits as they are sent.
    fn is_of_tokens(self) -> bool {
        matches!(self, Self::V1TemporaryToken | Self::V2TemporaryTokenAlone | Self::LogInWithTemporaryToken(_))
    }
}

/// What waits for a code.
struct Question {
    code: String,
    scope: Scope,
    method: &'static str,
    path: String,
    /// The request without its code.
    body: Value,
    /// Where the code goes.
    field: &'static str,
}

impl Question {
    fn new(code: String, method: &'static str, path: &str, body: Value, field: &'static str) -> Self {
        Self { code, scope: Scope::ManageAll, method, path: path.to_owned(), body, field }
    }

    async fn answered(&self, wire: &Wire, code: impl Into<Value>) -> Told {
        let mut body = self.body.clone();
        body[self.field] = code.into();
        wire.call_as(self.scope, self.method, &self.path, &body.to_string()).await
    }

    async fn accepts(&self, wire: &Wire, code: impl Into<Value>) -> bool {
        let told = self.answered(wire, code).await;
        let is_pending = told.0.text.contains("pending");
        told.status() == 200 && !is_pending
    }
}

/// One door, with the devices it needs.
struct House {
    wire: Wire,
    door: Door,
    app: Option<(i64, App)>,
    text: Option<i64>,
    visits: usize,
}

impl House {
    async fn before(door: Door) -> Self {
        let wire = Wire::start().await;
        let app = match door {
            Door::V1App
            | Door::V2ByVerificationOfAnApp
            | Door::V2CodeOfADevice
            | Door::LogIn(_)
            | Door::LogInWithTemporaryToken(_)
            | Door::Assertion(_) => Some(wire.app().await),
            _ => None,
        };
        let text = match door {
            Door::V1Text | Door::V2ByVerification | Door::V2CodeAlone | Door::LogInByText => {
                Some(wire.enrolled(r#"{"factor_id":2,"display_name":"Ben's phone","verified":true}"#).await.0)
            }
            _ => None,
        };
        Self { wire, door, app, text, visits: 0 }
    }

    /// Moves on to a time at which the app shows a code that begins so and was never shown before.
    fn shown(&self, prefix: &str) -> (i64, String) {
        let (device, app) = self.app.as_ref().expect("an app");
        for _ in 0..20_000 {
            self.wire.server.advance(30);
            let code = app.code(self.wire.server.now());
            if code.starts_with(prefix) {
                self.wire.server.forget_tokens();
                return (*device, code);
            }
        }
        panic!("no code begins with {prefix}");
    }

    /// Has codes sent until one begins so; gives the last answer too.
    async fn sent(&self, prefix: &str, channel: &str, ask: impl AsyncFn() -> Told) -> (Told, String) {
        for _ in 0..5_000 {
            let (told, code) = self.wire.sent(channel, ask()).await;
            if code.starts_with(prefix) {
                return (told, code);
            }
        }
        panic!("no code begins with {prefix}");
    }

    async fn token(&self) -> String {
        self.wire.post("2/mfa_token", "").await.text("mfa_token")
    }

    fn words(&self) -> Value {
        let user = self.wire.server.user(1);
        json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": "1" })
    }

    /// Something to answer, with a code that begins so.
    #[expect(clippy::too_many_lines, reason = "a table of doors, one after another")]
    async fn asks(&mut self, prefix: &str) -> Question {
        let wire = &self.wire;
        let (v1, v2) = (format!("/api/1/users/{}", wire.user), format!("/api/2/mfa/users/{}", wire.user));
        match self.door {
            Door::V1App => {
                let (device, code) = self.shown(prefix);
                Question::new(code, "POST", &format!("{v1}/otp_devices/{device}/verify"), json!({}), "otp_token")
            }
            Door::V1Text => {
                let device = self.text.expect("a phone");
                let trigger = format!("1/otp_devices/{device}/trigger");
                let asked = async || wire.post(&trigger, r#"{"numeric_sms_otp":true}"#).await;
                let (told, code) = self.sent(prefix, "sms", asked).await;
                let body = json!({ "state_token": told.text("state_token") });
                Question::new(code, "POST", &format!("{v1}/otp_devices/{device}/verify"), body, "otp_token")
            }
            Door::V1TemporaryToken => {
                Question::new(self.token().await, "POST", &format!("{v1}/otp_devices/0/verify"), json!({}), "otp_token")
            }
            Door::V2Registration => loop {
                wire.server.forget_tokens();
                let told = wire.post("2/registrations", r#"{"factor_id":5,"expires_in":900}"#).await;
                let app = App::reading(&told.single()["factor_data"]);
                let moments = (0..28).map(|step| wire.server.now().plus(step * 30_000));
                let found = moments.enumerate().find(|(_, moment)| app.code(*moment).starts_with(prefix));
                let Some((steps, moment)) = found else {
                    wire.server.advance(901);
                    continue;
                };
                wire.server.advance(30 * i64::try_from(steps).expect("few"));
                let path = format!("{v2}/registrations/{}", told.text("id"));
                break Question::new(app.code(moment), "PUT", &path, json!({}), "otp");
            },
            Door::V2RegistrationByText => {
                for device in wire.get("2/devices").await.json().as_array().expect("a list") {
                    let device = device["device_id"].as_str().expect("a text").to_owned();
                    assert_eq!(wire.delete(&format!("2/devices/{device}")).await.status(), 204);
                }
                let asked = async || wire.post("2/registrations", r#"{"factor_id":2}"#).await;
                let (told, code) = self.sent(prefix, "sms", asked).await;
                Question::new(code, "PUT", &format!("{v2}/registrations/{}", told.text("id")), json!({}), "otp")
            }
            Door::V2ByVerification | Door::V2CodeAlone => {
                let body = json!({ "device_id": self.text.expect("a phone") }).to_string();
                let asked = async || wire.post("2/verifications", &body).await;
                let (told, code) = self.sent(prefix, "sms", asked).await;
                if self.door == Door::V2CodeAlone {
                    return Question::new(code, "POST", &format!("{v2}/verifications"), json!({}), "otp");
                }
                Question::new(code, "PUT", &format!("{v2}/verifications/{}", told.text("id")), json!({}), "otp")
            }
            Door::V2ByVerificationOfAnApp => {
                let (device, code) = self.shown(prefix);
                let told = wire.post("2/verifications", &json!({ "device_id": device }).to_string()).await;
                Question::new(code, "PUT", &format!("{v2}/verifications/{}", told.text("id")), json!({}), "otp")
            }
            Door::V2TemporaryTokenAlone => {
                Question::new(self.token().await, "POST", &format!("{v2}/verifications"), json!({}), "otp")
            }
            Door::V2CodeOfADevice => {
                let (device, code) = self.shown(prefix);
                let body = json!({ "device_id": device });
                Question::new(code, "POST", &format!("{v2}/verifications"), body, "otp")
            }
            Door::LogIn(path) => {
                let (device, code) = self.shown(prefix);
                let body = json!({ "device_id": device, "state_token": wire.under_way().await });
                let question = Question::new(code, "POST", path, body, "otp_token");
                Question { scope: Scope::Authenticate, ..question }
            }
            Door::LogInByText => {
                let path = "/api/1/login/verify_factor";
                let body = json!({ "device_id": self.text.expect("a phone"), "state_token": wire.under_way().await });
                let step = body.to_string();
                let asked = async || wire.call_as(Scope::Authenticate, "POST", path, &step).await;
                let (_, code) = self.sent(prefix, "sms", asked).await;
                let question = Question::new(code, "POST", path, body, "otp_token");
                Question { scope: Scope::Authenticate, ..question }
            }
            Door::LogInWithTemporaryToken(at_a_device) => {
                let device = if at_a_device { self.app.as_ref().expect("an app").0 } else { 0 };
                let body = json!({ "device_id": device, "state_token": wire.under_way().await });
                let token = self.token().await;
                let question = Question::new(token, "POST", "/api/1/login/verify_factor", body, "otp_token");
                Question { scope: Scope::Authenticate, ..question }
            }
            Door::Assertion(path) => {
                let (device, code) = self.shown(prefix);
                let words = self.words().to_string();
                let told = wire.call_as(Scope::Authenticate, "POST", path, &words).await;
                let body = json!({ "device_id": device, "state_token": told.text("state_token"), "app_id": "1" });
                let question = Question::new(code, "POST", &format!("{path}/verify_factor"), body, "otp_token");
                Question { scope: Scope::Authenticate, ..question }
            }
            Door::Smart => {
                let mut token = String::new();
                let mut code = String::new();
                while !code.starts_with(prefix) || code.is_empty() {
                    self.visits += 1;
                    let context = json!({ "ip": "192.0.2.1", "user_agent": format!("Browser {}", self.visits) });
                    let visit =
                        json!({ "user_identifier": "zoe", "email": "zoe@example.com", "context": context }).to_string();
                    let asked = wire.call_as(Scope::ManageAll, "POST", "/api/2/smart-mfa", &visit);
                    let (told, sent) = wire.sent("email", asked).await;
                    told.json()["mfa"]["state_token"].as_str().expect("a state token").clone_into(&mut token);
                    code = sent;
                }
                let body = json!({ "state_token": token });
                Question::new(code, "POST", "/api/2/smart-mfa/verify", body, "otp_token")
            }
        }
    }
}

/// The same code in other clothes: as a script reads it, as people paste and group it.
fn clothes(code: &str) -> Vec<String> {
    let (front, back) = code.split_at(code.len() / 2);
    let spread: Vec<_> = code.chars().map(String::from).collect();
    vec![format!("{code}\n"), format!("{code}\r\n"), format!(" \t{code} "), format!("{front} {back}"), spread.join(" ")]
}

/// What only looks like it.
fn masks(code: &str) -> Vec<String> {
    let wide = code.chars().filter_map(|digit| char::from_u32(u32::from(digit) - 0x30 + 0xff10)).collect();
    vec![wide, format!("+{code}"), format!("{code}x")]
}

/// SEC 3: at every door.
#[tokio::test]
async fn white_space_in_a_code_is_nothing_at_every_door() {
    for door in DOORS {
        let mut house = House::before(door).await;
        for nth in 0..clothes("123456").len() {
            let question = house.asks("").await;
            let spelt = clothes(&question.code).swap_remove(nth);
            assert!(question.accepts(&house.wire, spelt.as_str()).await, "{door:?}: {spelt:?}");
            assert!(
                !question.accepts(&house.wire, question.code.as_str()).await,
                "{door:?}: spent, however it was spelt"
            );
        }
    }
}

/// SEC 3: and not by a digit more.
#[tokio::test]
async fn nothing_else_is_forgiven_at_any_door() {
    for door in DOORS {
        let mut house = House::before(door).await;
        let question = house.asks("").await;
        for mask in masks(&question.code) {
            assert!(!question.accepts(&house.wire, mask.as_str()).await, "{door:?}: {mask:?}");
        }
        let broken = format!("{}\n{}", &question.code[..3], &question.code[3..]);
        assert_eq!(question.answered(&house.wire, broken).await.status() / 100, 4, "{door:?}");
        assert!(!question.accepts(&house.wire, other(&question.code)).await, "{door:?}");
        assert!(question.accepts(&house.wire, question.code.as_str()).await, "{door:?}: four guesses are allowed");
    }
}

/// Contract 14.1b: a code kept as a number is the same code, as text and as number, with one zero lost and with two.
#[tokio::test]
async fn lost_zeros_are_put_back_at_every_door() {
    for door in DOORS.into_iter().filter(|door| !door.is_of_tokens()) {
        let mut house = House::before(door).await;
        for (prefix, is_number) in [("0", false), ("0", true), ("00", false)] {
            let question = house.asks(prefix).await;
            let shorter = question.code.trim_start_matches('0');
            let number: u64 = shorter.parse().expect("digits");
            let sent = if is_number { Value::from(number) } else { Value::from(shorter) };
            assert!(question.accepts(&house.wire, sent.clone()).await, "{door:?}: {sent} for {}", question.code);
        }
    }
}

/// Nothing is padded to become a temporary token: fewer digits are somebody's code.
#[tokio::test]
async fn a_shorter_text_is_no_temporary_token() {
    for door in DOORS.into_iter().filter(|door| door.is_of_tokens()) {
        let mut house = House::before(door).await;
        let question = house.asks("").await;
        assert!(!question.accepts(&house.wire, &question.code[1..]).await, "{door:?}");
        assert!(question.accepts(&house.wire, question.code.as_str()).await, "{door:?}");
    }
}

/// A code with letters has no zeros to lose, and no blanks inside.
#[tokio::test]
async fn a_code_with_letters_is_only_trimmed() {
    let wire = Wire::start().await;
    let (device, _) = wire.enrolled(r#"{"factor_id":2,"display_name":"Ben's phone","verified":true}"#).await;
    let (told, code) = wire.sent("sms", wire.post(&format!("1/otp_devices/{device}/trigger"), "")).await;
    let verify = async |otp: String| {
        let body = json!({ "state_token": told.text("state_token"), "otp_token": otp }).to_string();
        wire.post(&format!("1/otp_devices/{device}/verify"), &body).await.status()
    };
    assert_eq!(verify(format!("{} {}", &code[..3], &code[3..])).await, 401);
    assert_eq!(verify(code[1..].to_owned()).await, 401);
    assert_eq!(verify(format!(" {}\n", code.to_ascii_lowercase())).await, 200);
}

/// What the telephone hears is read by the same rule.
#[tokio::test]
async fn digits_keyed_into_a_call_may_have_blanks() {
    let wire = Wire::start().await;
    let enrolled = wire.post("2/registrations", r#"{"factor_id":3,"verified":true}"#).await;
    let after = wire.newest_message().await;
    let body = json!({ "device_id": enrolled.text("device_id") }).to_string();
    let told = wire.post("2/verifications", &body).await;
    let digits = told.single()["factor_data"]["verification_token"].as_str().expect("digits").to_owned();
    let call = wire.message("voice", after).await;
    let keyed = json!({ "digits": format!("{} {}\n", &digits[..3], &digits[3..]) }).to_string();
    wire.dev(&format!("/dev/outbox/{}/keypad", call["id"]), &keyed).await;
    let standing = wire.get(&format!("2/verifications/{}", told.text("id"))).await;
    assert_eq!(standing.single()["status"], "accepted");
}

/// Everything else that people type at these doors, as a script reads it: with the end of its line.
#[tokio::test]
async fn the_end_of_a_line_is_no_part_of_what_was_typed() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let user = wire.server.user(1).clone();
    let typed = |text: &str| format!("{text}\n");
    let words = json!({
        "username_or_email": typed(&user.username), "password": user.password, "subdomain": typed("acme"), "app_id": "1\n"
    });
    for path in ["/api/1/login/auth", "/api/1/saml_assertion", "/api/2/saml_assertion"] {
        let told = wire.call_as(Scope::Authenticate, "POST", path, &words.to_string()).await;
        assert_eq!(told.status(), 200, "{told}");
    }
    let step = json!({
        "state_token": typed(&wire.under_way().await), "device_id": typed(&device.to_string()),
        "otp_token": typed(&app.code(wire.server.now()))
    });
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &step.to_string()).await;
    assert_eq!(told.status(), 200, "{told}");
}
