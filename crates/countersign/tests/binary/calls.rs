//! Calls as `serve` makes them over Twilio: v1 types the code that a call speaks, v2 shows digits that a person keys into
//! the call, and every row of the table of contract 18.9.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs::File;
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::callbacks::{PUBLIC, Receipt, of_twilio};
use crate::common::{Answer, Http, Running, run};
use crate::gateways::{Gateway, form};
use crate::mail::Installation;

const NUMBER: &str = "+14155550123";

fn calling(port: u16) -> String {
    format!(
        "public_url = '{PUBLIC}'\nissuer = 'Example Inc'\nmessages.countries = ['US']\nlimits.message_interval_seconds = 0\n\
         [delivery.twilio]\naccount_sid = 'AC00000000000000000000000000000000'\nauth_token = 'canary-token'\n\
         voice_from = '+14155550100'\nbase_url = 'http://127.0.0.1:{port}'\n"
    )
}

/// A server that calls, a caller of its API, and a user.
struct Calling {
    gateway: Gateway,
    installation: Installation,
    server: Running,
    api: Http,
    user: i64,
}

/// A call that asks for digits.
struct Asked {
    /// The caller's id of the registration or verification.
    id: String,
    /// What the screen shows.
    digits: String,
    /// Where the digits go.
    action: String,
}

impl Calling {
    fn start() -> Self {
        let gateway = Gateway::start(r#"{"sid":"CA1"}"#);
        let installation = Installation::new(&calling(gateway.port));
        let (server, _) = installation.serve();
        let mut api = server.http();
        // Polls that nothing has happened for are answered at once.
        api.authorize(&installation.json(&["client", "create", "--scope", "Manage All", "--hold", "off", "--json"]));
        let user = installation.user("ana");
        Self { gateway, installation, server, api, user }
    }

    fn path(&self, what: &str) -> String {
        format!("/api/2/mfa/users/{}/{what}", self.user)
    }

    fn factor(&mut self) -> Value {
        let factors = self.api.expect(200, "GET", &self.path("factors"), "");
        let mut factors = factors.as_array().unwrap().iter();
        factors.find(|factor| factor["auth_factor_name"] == "OneLogin Voice").unwrap()["factor_id"].clone()
    }

    fn register(&mut self, number: &str) -> Asked {
        let body = json!({ "factor_id": self.factor(), "display_name": "desk", "number": number });
        let registration = self.api.expect(201, "POST", &self.path("registrations"), &body.to_string());
        self.asked(&registration)
    }

    fn challenge(&mut self, device: &Value) -> Asked {
        let body = json!({ "device_id": device }).to_string();
        let verification = self.api.expect(201, "POST", &self.path("verifications"), &body);
        self.asked(&verification)
    }

    /// The call that an answer of the API is about, which must not say what the screen shows.
    fn asked(&self, answer: &Value) -> Asked {
        let digits = answer["factor_data"]["verification_token"].as_str().unwrap().to_owned();
        let (line, body) = self.gateway.next();
        assert!(line.starts_with("POST /2010-04-01/Accounts/AC00000000000000000000000000000000/Calls.json"), "{line}");
        assert!(!body.contains(&digits), "{body}");
        let twiml = form(&body)["Twiml"].clone();
        let action = twiml.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(action.starts_with(&format!("{PUBLIC}/callbacks/twilio/digits?call=")), "{twiml}");
        Asked { id: answer["id"].as_str().unwrap().to_owned(), digits, action }
    }

    fn status(&mut self, what: &str, asked: &Asked) -> Value {
        self.api.expect(200, "GET", &self.path(&format!("{what}/{}", asked.id)), "")["status"].clone()
    }

    /// A voice device whose registration was accepted.
    fn device(&mut self) -> Value {
        let asked = self.register(NUMBER);
        assert_eq!(post(&mut self.server.http(), &keyed(&asked, &asked.digits.clone(), NUMBER)).status, 200);
        assert_eq!(self.status("registrations", &asked), "accepted");
        let devices = self.api.expect(200, "GET", &self.path("devices"), "");
        devices[0]["device_id"].clone()
    }
}

/// What Twilio sends when these digits were keyed.
fn keyed(asked: &Asked, digits: &str, to: &str) -> Receipt {
    of_twilio(&asked.action, &[("CallSid", "CA1"), ("Digits", digits), ("To", to), ("CallStatus", "in-progress")])
}

fn post(http: &mut Http, callback: &Receipt) -> Answer {
    let (name, value) = &callback.signed;
    http.headers = vec![((*name).to_owned(), value.clone())];
    let answer = http.send("POST", &callback.target, &callback.body).unwrap();
    http.headers.clear();
    answer
}

fn wrong(digits: &str) -> &'static str {
    if digits == "000007" { "000008" } else { "000007" }
}

const RIGHT: &str = "the digits are right";
const WRONG: &str = "These are not the digits";
const LATE: &str = "It is too late";

fn assert_says(answer: &Answer, words: &str) {
    assert_eq!(answer.header("content-type"), Some("application/xml; charset=utf-8"));
    assert!(answer.status == 200 && answer.body.contains(words), "{}: {}", answer.status, answer.body);
}

#[test]
fn digits_are_keyed_into_a_call_and_right_ones_accept_and_wrong_ones_reject() {
    let mut world = Calling::start();
    let mut http = world.server.http();
    let device = world.device();

    let asked = world.challenge(&device);
    assert_eq!(world.status("verifications", &asked), "pending");
    assert_says(&post(&mut http, &keyed(&asked, wrong(&asked.digits), NUMBER)), WRONG);
    // The first digits end it, so the right ones come too late.
    assert_says(&post(&mut http, &keyed(&asked, &asked.digits, NUMBER)), LATE);
    assert_eq!(world.status("verifications", &asked), "rejected");

    let asked = world.challenge(&device);
    let silent = of_twilio(&asked.action, &[("CallSid", "CA1"), ("To", NUMBER)]);
    let answer = post(&mut http, &silent);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "nothing was keyed, so nothing is counted");
    assert_says(&post(&mut http, &keyed(&asked, &asked.digits, NUMBER)), RIGHT);
    assert_eq!(world.status("verifications", &asked), "accepted");
    assert_eq!(world.server.stop(), Some(0));
}

#[test]
fn forged_replayed_and_late_digits_change_nothing() {
    let mut world = Calling::start();
    let mut http = world.server.http();
    let device = world.device();
    let earlier = world.challenge(&device);
    let right = keyed(&earlier, &earlier.digits, NUMBER);
    assert_says(&post(&mut http, &right), RIGHT);
    assert_says(&post(&mut http, &right), LATE);

    let asked = world.challenge(&device);
    let right = || keyed(&asked, &asked.digits, NUMBER);
    let of_earlier = Receipt { target: right().target, ..keyed(&earlier, &asked.digits, NUMBER) };
    for (what, forged) in [
        ("not signed", Receipt { signed: ("x-other", String::new()), ..right() }),
        ("altered digits", Receipt { body: keyed(&asked, wrong(&asked.digits), NUMBER).body, ..right() }),
        ("signed for another verification", of_earlier),
        ("at the door of receipts", Receipt { target: right().target.replace("/digits", "/status"), ..right() }),
        ("another number was called", keyed(&asked, &asked.digits, "+14155550124")),
        ("no number was called", keyed(&asked, &asked.digits, "anonymous")),
    ] {
        let answer = post(&mut http, &forged);
        assert_eq!((answer.status, answer.body.as_str()), (403, ""), "{what}");
        assert_eq!(world.status("verifications", &asked), "pending", "{what}");
    }
    let nobodys = asked.action.rsplit_once('=').unwrap().0.to_owned() + "=11111111-2222-4333-8444-555555555555";
    let fields = [("Digits", asked.digits.as_str()), ("To", NUMBER)];
    assert_says(&post(&mut http, &of_twilio(&nobodys, &fields)), LATE);
    for not_understood in [of_twilio(&asked.action, &fields[..1]), of_twilio(&nobodys[..nobodys.len() - 1], &fields)] {
        assert_eq!(post(&mut http, &not_understood).status, 400);
    }
    let answer = http.send("GET", &right().target, "").unwrap();
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(world.status("verifications", &asked), "pending");
    assert_says(&post(&mut http, &right()), RIGHT);
    assert_eq!(world.server.stop(), Some(0));
}

#[test]
fn of_sixteen_who_key_digits_at_once_one_is_heard() {
    let mut world = Calling::start();
    let asked = world.register(NUMBER);
    let (callback, together) = (keyed(&asked, &asked.digits, NUMBER), Barrier::new(16));
    let racer = || {
        let mut http = world.server.http();
        together.wait();
        let answer = post(&mut http, &callback);
        assert_eq!(answer.status, 200);
        answer.body.contains(RIGHT)
    };
    let heard = thread::scope(|scope| {
        let racers: Vec<_> = (0..16).map(|_| scope.spawn(racer)).collect();
        racers.into_iter().map(|racer| usize::from(racer.join().unwrap())).sum::<usize>()
    });
    assert_eq!(heard, 1);
    assert_eq!(world.status("registrations", &asked), "accepted");
    assert_eq!(world.server.stop(), Some(0));
}

#[test]
fn a_call_speaks_a_code_that_v1_verifies_and_no_log_holds_what_was_said_or_keyed() {
    let gateway = Gateway::start(r#"{"sid":"CA1"}"#);
    let installation = Installation::new(&calling(gateway.port));
    let log = installation.path("log");
    let args = installation.with(&["serve"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let server = Running::start_logging(&args, File::create(&log).unwrap());
    let mut api = server.http();
    api.authorize(&installation.json(&["client", "create", "--scope", "Manage All", "--json"]));
    let user = installation.user("ana");
    let of = |what: &str| format!("/api/1/users/{user}/{what}");
    let enrolment = json!({ "factor_id": 3, "display_name": "desk", "number": NUMBER }).to_string();
    let enrolled = api.expect(200, "POST", &of("otp_devices"), &enrolment);
    let device = enrolled["data"][0]["id"].as_i64().unwrap();
    let triggered = api.expect(200, "POST", &of(&format!("otp_devices/{device}/trigger")), "");
    let called = form(&gateway.next().1);
    let (twiml, receipt) = (&called["Twiml"], called["StatusCallback"].clone());
    let spoken: Vec<&str> =
        twiml.split("<Say language=\"en-US\">").skip(1).map(|say| &say[..say.find('<').unwrap()]).collect();
    let code: String = spoken.iter().filter(|said| said.len() == 1).copied().collect();
    assert_eq!((code.len(), &code[..6]), (12, &code[6..]), "twice: {twiml}");
    let answer = json!({ "otp_token": &code[..6], "state_token": triggered["data"][0]["state_token"] }).to_string();
    api.expect(200, "POST", &of(&format!("otp_devices/{device}/verify")), &answer);

    let mut world = Calling { gateway, installation, server, api, user };
    let receipt = of_twilio(&receipt, &[("CallSid", "CA1"), ("CallStatus", "completed"), ("To", NUMBER)]);
    assert_eq!([200, 403].map(|_| post(&mut world.server.http(), &receipt).status), [200, 403], "once");
    let status = world.installation.json(&["delivery", "status", "--json"]);
    let of_calls = status.as_array().unwrap().iter().find(|channel| channel["channel"] == "voice").unwrap();
    assert_eq!(of_calls["routes"][0]["delivered"], 1, "{status}");
    let asked = world.challenge(&json!(device));
    let mut http = world.server.http();
    post(&mut http, &keyed(&asked, "135791", "+14155559731"));
    post(&mut http, &keyed(&asked, &asked.digits, NUMBER));
    assert_eq!(world.server.stop(), Some(0));
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("another number was called"), "{logged}");
    for canary in [&code[..6], &asked.digits, "135791", "4155550123", "4155559731", "canary-token"] {
        assert!(!logged.contains(canary), "{canary} is in the log: {logged}");
    }
    drop(world.installation);
}

/// Version 1 speaks codes over every provider of calls; version 2 needs one that brings digits back.
pub(crate) fn offers_voice_in_version_1_alone(api: &mut Http, user: i64) {
    let factors = api.expect(200, "GET", &format!("/api/2/mfa/users/{user}/factors"), "");
    assert!(!factors.to_string().contains("OneLogin Voice"), "{factors}");
    let factors = api.expect(200, "GET", &format!("/api/1/users/{user}/auth_factors"), "");
    assert!(factors.to_string().contains("OneLogin Voice"), "{factors}");
}

#[test]
fn what_nobody_could_answer_is_not_offered_by_v2_and_stops_the_start_where_only_some_could() {
    let file = "delivery.file.path = 'messages'\ndelivery.file.i_know_that_codes_are_readable = true\n";
    let installation = Installation::new(&format!("issuer = 'Example Inc'\nmessages.countries = ['US']\n{file}"));
    let (server, mut api) = installation.serve();
    let user = installation.user("ana");
    offers_voice_in_version_1_alone(&mut api, user);
    let body = json!({ "factor_id": "3", "display_name": "desk", "number": NUMBER }).to_string();
    api.expect(422, "POST", &format!("/api/2/mfa/users/{user}/registrations"), &body);
    assert_eq!(server.stop(), Some(0));

    let mixed = format!("delivery.voice = ['twilio', 'file']\n{file}{}", calling(1));
    let without_address = calling(1).replace(&format!("public_url = '{PUBLIC}'\n"), "");
    for (config, said) in [
        (mixed, "delivery.voice: twilio takes the digits that people key into calls and file does not"),
        (without_address, "calls need public_url, too"),
    ] {
        let installation = Installation::new(&config);
        let args = installation.with(&["config", "check"]);
        let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(said), "{text}");
    }
}
