//! Digits that people key into calls of Vonage and of an exchange on the premises. Both sign the body and the time, and not the
//! address (contract 18.9). Those of Twilio are in `calls.rs`.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use data_encoding::{BASE64, BASE64_MIME};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::callbacks::{PUBLIC, now, of_vonage};
use crate::calls::offers_voice_in_version_1_alone;
use crate::common::{Answer, Http, Running, get};
use crate::gateways::Gateway;
use crate::mail::Installation;

const NUMBER: &str = "+14155550123";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CALLBACK_SECRET: &str = "whsec_Q2FuYXJ5LWNhbGxiYWNrLXNlY3JldC0yMDI2";

/// A request of a gateway.
#[derive(Clone)]
struct Signed {
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// A gateway that brings digits back.
struct Caller {
    name: &'static str,
    config: fn(&Installation, u16) -> String,
    /// Where the digits of a call go that it was asked to make.
    action: fn(&Value) -> String,
    /// What was keyed, signed so long ago, in seconds. No digits: no key was pressed.
    keyed: fn(action: &str, digits: Option<&str>, to: &str, age: i64) -> Signed,
    /// What its call says by this answer.
    said: fn(&Value) -> &Value,
}

static CALLERS: [Caller; 2] = [
    Caller {
        name: "vonage",
        config: vonage,
        action: |asked| asked["ncco"][1]["eventUrl"][0].as_str().unwrap().to_owned(),
        keyed: |action, digits, to, age| {
            let body = json!({
                "speech": null, "dtmf": { "digits": digits, "timed_out": digits.is_none() }, "from": "14155550100",
                "to": to.trim_start_matches('+'), "uuid": "a", "conversation_uuid": "CON-a",
                "timestamp": "2026-08-30T12:36:00Z",
            });
            let receipt = of_vonage("1", age, &body);
            let (name, value) = receipt.signed;
            let target = action.replace(PUBLIC, "");
            Signed { target, headers: vec![(name.to_owned(), value)], body: receipt.body }
        },
        said: |answer| &answer[0]["text"],
    },
    Caller {
        name: "exchange",
        config: exchange,
        action: |asked| asked["reply_url"].as_str().unwrap().to_owned(),
        keyed: |action, digits, to, age| {
            let body = match digits {
                Some(digits) => json!({ "to": to, "digits": digits }),
                None => json!({ "to": to }),
            };
            signed(&action.replace(PUBLIC, ""), "call-1", age, &body)
        },
        said: |answer| {
            assert_eq!((&answer["hang_up"], &answer["language"]), (&json!(true), &json!("en")), "{answer}");
            &answer["say"]
        },
    },
];

const HEAD: &str = "issuer = 'Example Inc'\nadmin_listen = '127.0.0.1:0'\nmessages.countries = ['US']\n\
                    limits.message_interval_seconds = 0\n";

fn vonage(installation: &Installation, port: u16) -> String {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\n", BASE64_MIME.encode(der.as_ref()));
    let file = installation.path("vonage.pem");
    std::fs::write(&file, pem).unwrap();
    format!(
        "public_url = '{PUBLIC}'\n{HEAD}[delivery.vonage]\napi_key = 'key'\napi_secret = 'canary-secret'\nfrom = 'Example'\n\
         signature_secret = 'canary-signature'\nvoice_from = '14155550100'\napplication_id = 'application'\n\
         private_key_file = '{}'\nbase_url = 'http://127.0.0.1:{port}'\n",
        file.display()
    )
}

fn exchange(installation: &Installation, port: u16) -> String {
    let file = format!(
        "preset = 'exchange'\nurl = 'http://127.0.0.1:{port}/calls'\nsecret = '{SECRET}'\n\
         callback_secret_file = 'callback-secret'\n"
    );
    std::fs::write(installation.path("exchange.toml"), file).unwrap();
    std::fs::write(installation.path("callback-secret"), format!("{CALLBACK_SECRET}\n")).unwrap();
    format!("public_url = '{PUBLIC}'\ndelivery.http = ['exchange.toml']\n{HEAD}")
}

/// A request by Standard Webhooks that was signed so long ago, in seconds.
fn signed(target: &str, id: &str, age: i64, body: &Value) -> Signed {
    let (seconds, body) = (now() / 1_000 - age, body.to_string());
    let key = BASE64.decode(CALLBACK_SECRET.trim_start_matches("whsec_").as_bytes()).unwrap();
    let mut hmac = <Hmac<Sha256>>::new_from_slice(&key).unwrap();
    hmac.update(format!("{id}.{seconds}.{body}").as_bytes());
    let signature = format!("v1,{}", BASE64.encode(&hmac.finalize().into_bytes()));
    let headers =
        [("webhook-id", id.to_owned()), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Signed { target: target.to_owned(), headers, body }
}

fn post(http: &mut Http, request: &Signed) -> Answer {
    http.headers.clone_from(&request.headers);
    let answer = http.send("POST", &request.target, &request.body).unwrap();
    http.headers.clear();
    answer
}

/// A server that calls over one of these gateways, and a user.
struct World {
    caller: &'static Caller,
    gateway: Gateway,
    server: Running,
    api: Http,
    user: i64,
    _installation: Installation,
}

/// A call that asks for digits.
struct Asked {
    id: String,
    /// What the screen shows.
    digits: String,
    action: String,
}

impl World {
    fn of(caller: &'static Caller) -> Self {
        let gateway = Gateway::start(r#"{"uuid":"a"}"#);
        let installation = Installation::new("");
        let config = (caller.config)(&installation, gateway.port);
        std::fs::write(installation.path("countersign.toml"), config).unwrap();
        let (server, _) = installation.serve();
        let mut api = server.http();
        api.authorize(&installation.json(&["client", "create", "--scope", "Manage All", "--hold", "off", "--json"]));
        let user = installation.user("ana");
        Self { caller, gateway, server, api, user, _installation: installation }
    }

    fn path(&self, what: &str) -> String {
        format!("/api/2/mfa/users/{}/{what}", self.user)
    }

    fn asked(&mut self, what: &str, body: &Value) -> Asked {
        let answer = self.api.expect(201, "POST", &self.path(what), &body.to_string());
        let digits = answer["factor_data"]["verification_token"].as_str().unwrap().to_owned();
        let (_, body) = self.gateway.next();
        assert!(!body.contains(&digits), "{body}");
        let action = (self.caller.action)(&serde_json::from_str(&body).unwrap());
        assert!(action.starts_with(&format!("{PUBLIC}/callbacks/{}/digits?call=", self.caller.name)), "{action}");
        Asked { id: answer["id"].as_str().unwrap().to_owned(), digits, action }
    }

    fn status(&mut self, what: &str, asked: &Asked) -> Value {
        self.api.expect(200, "GET", &self.path(&format!("{what}/{}", asked.id)), "")["status"].clone()
    }

    fn keyed(&self, asked: &Asked, digits: &str) -> Signed {
        (self.caller.keyed)(&asked.action, Some(digits), NUMBER, 0)
    }

    fn assert_says(&self, answer: &Answer, words: &str) {
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{}", answer.body);
        let said = answer.json();
        let said = (self.caller.said)(&said).as_str().unwrap();
        assert!(said.contains(words), "{}: {said}", self.caller.name);
    }
}

fn wrong(digits: &str) -> &'static str {
    if digits == "000007" { "000008" } else { "000007" }
}

const RIGHT: &str = "the digits are right";
const WRONG: &str = "These are not the digits";
const LATE: &str = "It is too late";

/// Keeps SEC 98.
#[test]
fn digits_of_vonage_and_of_an_exchange_answer_their_call_once_and_forged_and_late_ones_change_nothing() {
    for caller in &CALLERS {
        let mut world = World::of(caller);
        let mut http = world.server.http();
        let factors = world.api.expect(200, "GET", &world.path("factors"), "");
        let factor = factors.as_array().unwrap().iter().find(|factor| factor["auth_factor_name"] == "OneLogin Voice");
        let enrolment = json!({ "factor_id": factor.unwrap()["factor_id"], "display_name": "desk", "number": NUMBER });
        let registration = world.asked("registrations", &enrolment);
        world.assert_says(&post(&mut http, &world.keyed(&registration, &registration.digits)), RIGHT);
        assert_eq!(world.status("registrations", &registration), "accepted");
        let devices = world.api.expect(200, "GET", &world.path("devices"), "");
        let challenge = json!({ "device_id": devices[0]["device_id"] });

        let asked = world.asked("verifications", &challenge);
        world.assert_says(&post(&mut http, &world.keyed(&asked, wrong(&asked.digits))), WRONG);
        world.assert_says(&post(&mut http, &world.keyed(&asked, &asked.digits)), LATE);
        assert_eq!(world.status("verifications", &asked), "rejected");
        let earlier = asked;

        let asked = world.asked("verifications", &challenge);
        let silent = post(&mut http, &(caller.keyed)(&asked.action, None, NUMBER, 0));
        assert_eq!((silent.status, silent.body.as_str()), (200, ""), "nothing was keyed, so nothing is counted");
        let right = world.keyed(&asked, &asked.digits);
        for (what, forged) in [
            ("not signed", Signed { headers: Vec::new(), ..right.clone() }),
            ("signed for other digits", Signed { headers: world.keyed(&asked, "135791").headers, ..right.clone() }),
            ("too old", (caller.keyed)(&asked.action, Some(&asked.digits), NUMBER, 301)),
            ("too early", (caller.keyed)(&asked.action, Some(&asked.digits), NUMBER, -70)),
            ("another number was called", (caller.keyed)(&asked.action, Some(&asked.digits), "+14155550124", 0)),
            ("no number was called", (caller.keyed)(&asked.action, Some(&asked.digits), "anonymous", 0)),
        ] {
            let answer = post(&mut http, &forged);
            assert_eq!((answer.status, answer.body.as_str()), (403, ""), "{}: {what}", caller.name);
            assert_eq!(world.status("verifications", &asked), "pending", "{}: {what}", caller.name);
        }
        // The address is not signed; that of a verification that is over takes no digits of another.
        let elsewhere = Signed { target: earlier.action.replace(PUBLIC, ""), ..right.clone() };
        world.assert_says(&post(&mut http, &elsewhere), LATE);
        let no_receipt = Signed { target: right.target.replace("/digits", "/status"), ..right.clone() };
        assert_eq!(post(&mut http, &no_receipt).status, 400);
        assert_eq!(world.status("verifications", &asked), "pending");
        world.assert_says(&post(&mut http, &right), RIGHT);
        world.assert_says(&post(&mut http, &right), LATE);
        assert_eq!(world.status("verifications", &asked), "accepted");
        assert_eq!(world.server.stop(), Some(0));
    }
}

#[test]
fn receipts_of_an_exchange_count_once_and_its_requests_are_signed() {
    let mut world = World::of(&CALLERS[1]);
    let mut http = world.server.http();
    let of = |what: &str| format!("/api/1/users/{}/{what}", world.user);
    let enrolment = json!({ "factor_id": 3, "display_name": "desk", "number": NUMBER }).to_string();
    let enrolled = world.api.expect(200, "POST", &of("otp_devices"), &enrolment);
    let device = enrolled["data"][0]["id"].as_i64().unwrap();
    let triggered = world.api.expect(200, "POST", &of(&format!("otp_devices/{device}/trigger")), "");
    let asked: Value = serde_json::from_str(&world.gateway.next().1).unwrap();
    assert_eq!((&asked["kind"], &asked["to"], &asked["reply_url"]), (&json!("code"), &json!(NUMBER), &json!("")));
    let code = asked["code"].as_str().unwrap();
    let spelled = code.chars().map(String::from).collect::<Vec<_>>().join(", ");
    assert_eq!(asked["say"].as_str().unwrap().matches(&spelled).count(), 2, "{asked}");
    let answer = json!({ "otp_token": code, "state_token": triggered["data"][0]["state_token"] }).to_string();
    world.api.expect(200, "POST", &of(&format!("otp_devices/{device}/verify")), &answer);

    let target = asked["status_url"].as_str().unwrap().replace(PUBLIC, "");
    assert_eq!(target, "/callbacks/exchange/status");
    let status = |status: &str| json!({ "id": asked["id"], "to": NUMBER, "status": status });
    for (what, receipt, answer) in [
        ("it rings", signed(&target, "1", 0, &status("ringing")), 200),
        ("it was answered", signed(&target, "2", 0, &status("completed")), 200),
        ("once more", signed(&target, "2", -1, &status("completed")), 403),
        ("late", signed(&target, "3", 301, &status("completed")), 403),
        ("not signed", Signed { headers: Vec::new(), ..signed(&target, "4", 0, &status("completed")) }, 403),
        ("not understood", signed(&target, "5", 0, &json!({})), 400),
        ("another call", signed(&target, "6", 0, &json!({ "id": "1-1", "to": NUMBER, "status": "busy" })), 200),
    ] {
        assert_eq!(post(&mut http, &receipt).status, answer, "{what}");
    }
    let admin = world.server.ready["admin_url"].as_str().unwrap().trim_start_matches("http://");
    let metrics = get(admin, "/metrics");
    for line in [
        r#"countersign_receipts_total{channel="voice",provider="exchange",country="US",outcome="delivered"} 1"#,
        r#"countersign_receipts_total{channel="voice",provider="exchange",country="",outcome="not_taken"} 3"#,
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(!metrics.contains(r#"outcome="undelivered""#), "{metrics}");
    assert_eq!(world.server.stop(), Some(0));
}

#[test]
fn an_exchange_without_a_callback_secret_speaks_codes_and_v2_does_not_offer_it() {
    let gateway = Gateway::start("{}");
    let installation = Installation::new("");
    let config = exchange(&installation, gateway.port);
    std::fs::write(installation.path("countersign.toml"), config).unwrap();
    let file = installation.path("exchange.toml");
    let described = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, described.replace("callback_secret_file = 'callback-secret'\n", "")).unwrap();
    let (server, mut api) = installation.serve();
    let user = installation.user("ana");
    offers_voice_in_version_1_alone(&mut api, user);
    for path in ["/callbacks/exchange/digits?call=11111111-2222-4333-8444-555555555555", "/callbacks/exchange/status"] {
        assert_eq!(api.send("POST", path, "").unwrap().status, 404, "{path}");
    }
    assert_eq!(server.stop(), Some(0));
}

/// The gateway of a dev world signs nothing, so nothing is taken in its name.
#[test]
fn a_dev_world_takes_no_digits_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Running::dev(folder.path());
    let path = "/callbacks/dev/digits?call=11111111-2222-4333-8444-555555555555";
    assert_eq!(dev.http().send("POST", path, "{}").unwrap().status, 404);
}
