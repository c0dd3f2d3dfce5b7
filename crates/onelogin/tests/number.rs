//! Number matching (SEC 12): for clients that have chosen so, a prompt is accepted only with the number that the client
//! shows, whatever the door.

mod wire;

use domain::Scope;
use domain::rules::client::Choice;
use serde_json::{Value, json};
use wire::{Told, Wire};

/// The dev world's SAML app.
const AWS: i64 = 1;

async fn started(scope: Scope) -> (Wire, i64) {
    let wire = Wire::start().await;
    let (device, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    choose(&wire, scope, true).await;
    (wire, device)
}

async fn choose(wire: &Wire, scope: Scope, on: bool) {
    let client = wire.server.client(scope).client_id.clone();
    let chosen = wire
        .server
        .world
        .engine()
        .choose_for_client(&client, Choice { number_matching: Some(on), ..Choice::default() })
        .await
        .expect("a database");
    assert_eq!(chosen.expect("the dev world's client").options.number_matching, on);
}

/// What the phone answers to a number that was typed.
async fn typed(wire: &Wire, number: &str) -> (u16, Value) {
    let told = wire.send(wire::Script::post(&format!("/dev/phone/accept?user_id={}&number={number}", wire.user))).await;
    (told.status(), told.json())
}

async fn trigger(wire: &Wire, device: i64) -> (String, Option<String>) {
    let told = wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await.json();
    let data = &told["data"][0];
    let text = |name: &str| data[name].as_str().map(str::to_owned);
    (text("state_token").expect("a state token"), text("verification_token"))
}

async fn poll(wire: &Wire, device: i64, state_token: &str) -> Told {
    wire.post(&format!("1/otp_devices/{device}/verify"), &json!({ "state_token": state_token }).to_string()).await
}

fn other(number: &str) -> String {
    format!("{:02}", (number.parse::<u8>().expect("digits") + 1) % 100)
}

/// Contract 20.7: what people read who wait with such a client.
fn with_number(number: &str) -> String {
    format!("Authentication pending on OL Protect. Number to type: {number}")
}

#[tokio::test]
async fn version_1_shows_the_number_and_only_it_accepts() {
    let (wire, device) = started(Scope::ManageAll).await;
    let (token, number) = trigger(&wire, device).await;
    let number = number.expect("a number");
    assert!(number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit()), "{number}");
    let message = wire.message("push", 0).await;
    assert_eq!((&message["digits"], &message["code"]), (&json!(2), &Value::Null));
    assert!(!message["body"].as_str().unwrap().contains(&number), "{message}");
    let bare = wire.send(wire::Script::post(&format!("/dev/phone/accept?user_id={}", wire.user))).await;
    assert_eq!(bare.status(), 400, "the phone asks for it");
    assert_eq!(typed(&wire, &number).await.1["status"], "accepted");
    assert_eq!(poll(&wire, device, &token).await.status(), 200);
}

#[tokio::test]
async fn a_wrong_number_ends_the_prompt_and_counts_as_a_guess() {
    let (wire, device) = started(Scope::ManageAll).await;
    let (token, number) = trigger(&wire, device).await;
    let number = number.expect("a number");
    assert_eq!(typed(&wire, &other(&number)).await.1["status"], "rejected");
    assert_eq!(poll(&wire, device, &token).await.status(), 401);
    assert_eq!(typed(&wire, &number).await.0, 404, "no prompt waits any more");
    let refused = wire.get(&format!("/api/1/events?user_id={}&event_type_id=90002", wire.user)).await.json();
    assert_eq!(refused["data"][0]["error_description"], "wrong_code", "{refused}");
}

/// Decision 26 and what it leaves open: a repeated call gets another number, so that what the first one shows is no
/// good to the second. It is no guess either: the person read it from a screen.
#[tokio::test]
async fn whoever_asks_again_shows_another_number_for_the_same_prompt() {
    let (wire, device) = started(Scope::ManageAll).await;
    let (first, shown) = trigger(&wire, device).await;
    let (second, shown_again) = trigger(&wire, device).await;
    let (shown, shown_again) = (shown.unwrap(), shown_again.unwrap());
    assert_ne!((&first, &shown), (&second, &shown_again));
    assert_eq!(typed(&wire, &shown).await.0, 409, "the person read the first screen");
    let waiting = poll(&wire, device, &second).await.json();
    assert_eq!(waiting["status"]["message"], with_number(&shown_again), "it waits for the second's number");
    assert_eq!(typed(&wire, &shown_again).await.1["status"], "accepted");
    assert_eq!(poll(&wire, device, &first).await.status(), 400, "the first has another state token no more");
    assert_eq!(poll(&wire, device, &second).await.status(), 200);
    assert_eq!(wire.server.outbox("channel=push").await.len(), 1, "asking again sends nothing");
    let refused = wire.get(&format!("/api/1/events?user_id={}&event_type_id=90002", wire.user)).await.json();
    assert_eq!(refused["data"], json!([]), "nothing was guessed");
}

#[tokio::test]
async fn a_prompt_asks_for_five_numbers_and_no_two_alike() {
    let (wire, device) = started(Scope::ManageAll).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(trigger(&wire, device).await.1.expect("a number"));
    }
    let told = wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await;
    assert_eq!(told.status(), 429, "{}", told.json());
    let last = seen[4].clone();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    assert_eq!(typed(&wire, &last).await.1["status"], "accepted");
}

/// SEC 12: "not me" denies, pauses push for 15 minutes and raises an alarm.
#[tokio::test]
async fn somebody_elses_log_in_is_reported_and_push_pauses() {
    let (wire, device) = started(Scope::ManageAll).await;
    let (token, _) = trigger(&wire, device).await;
    let told = wire.dev(&format!("/dev/phone/report?user_id={}", wire.user), "").await;
    assert_eq!(told["status"], "rejected");
    assert_eq!(poll(&wire, device, &token).await.status(), 401);
    let asked_again = async || wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await.status();
    assert_eq!(asked_again().await, 429);
    let body = json!({ "device_id": device.to_string() }).to_string();
    let refused = wire.post("2/verifications", &body).await;
    assert_eq!((refused.status(), refused.0.header("retry-after")), (429, Some("900")));
    let events = wire.get(&format!("/api/1/events?user_id={}&event_type_id=90036", wire.user)).await.json();
    assert_eq!(events["data"].as_array().map(Vec::len), Some(1), "{events}");
    wire.server.advance(899);
    assert_eq!(asked_again().await, 429);
    wire.server.advance(1);
    assert_eq!(asked_again().await, 200);
}

#[tokio::test]
async fn version_2_shows_the_number_as_it_does_for_a_call() {
    let (wire, device) = started(Scope::ManageAll).await;
    let opened = wire.post("2/verifications", &json!({ "device_id": device.to_string() }).to_string()).await.json();
    let number = opened["factor_data"]["verification_token"].as_str().expect("a number").to_owned();
    assert_eq!(opened["factor_data"].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(typed(&wire, &number).await.1["status"], "accepted");
    let read = wire.get(&format!("2/verifications/{}", opened["id"].as_str().unwrap())).await;
    assert_eq!(read.text("status"), "accepted");
}

/// The first caller does not get the approval of a challenge that another caller repeated.
#[tokio::test]
async fn in_version_2_only_the_last_who_asked_sees_the_approval() {
    let (wire, device) = started(Scope::ManageAll).await;
    let body = json!({ "device_id": device.to_string() }).to_string();
    let first = wire.post("2/verifications", &body).await.json();
    let second = wire.post("2/verifications", &body).await.json();
    let (id, other) = (second["id"].as_str().expect("an id"), first["id"].as_str().expect("an id"));
    assert_ne!(id, other);
    let number = second["factor_data"]["verification_token"].as_str().expect("a number");
    assert_eq!(typed(&wire, number).await.1["status"], "accepted");
    assert_eq!(wire.get(&format!("2/verifications/{id}")).await.text("status"), "accepted");
    assert_eq!(wire.get(&format!("2/verifications/{other}")).await.status(), 404);
    assert_eq!(wire.server.outbox("channel=push").await.len(), 1);
}

#[tokio::test]
async fn a_log_in_shows_its_number_with_every_poll() {
    let (wire, device) = started(Scope::Authenticate).await;
    let user = wire.server.user(1);
    let auth = json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" });
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/auth", &auth.to_string()).await;
    let step = json!({ "state_token": told.text("state_token"), "device_id": device }).to_string();
    let call = async || wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &step).await.json();
    let sent = call().await;
    let number = sent["data"][0]["verification_token"].as_str().expect("a number").to_owned();
    let pending = call().await;
    assert_eq!((&pending["status"]["type"], &pending["data"]), (&json!("pending"), &sent["data"]));
    for said in [&sent, &pending] {
        assert_eq!(said["status"]["message"], with_number(&number), "{said}");
    }
    assert_eq!(typed(&wire, &number).await.1["status"], "accepted");
    assert_eq!(call().await["data"][0]["status"], "Authenticated");
}

/// Contract 6.2: a pending answer of version 2 has no `data`, which would be taken for the assertion.
#[tokio::test]
async fn an_assertion_of_version_2_shows_its_number_beside_the_message() {
    let (wire, device) = started(Scope::Authenticate).await;
    let (user, app) = (wire.server.user(1), AWS);
    let auth =
        json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": app });
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/2/saml_assertion", &auth.to_string()).await;
    let step = json!({ "app_id": app, "state_token": told.text("state_token"), "device_id": device }).to_string();
    let path = "/api/2/saml_assertion/verify_factor";
    let call = async || wire.call_as(Scope::Authenticate, "POST", path, &step).await.json();
    let pending = call().await;
    assert_eq!(pending.get("data"), None, "{pending}");
    let number = pending["factor_data"]["verification_token"].as_str().expect("a number");
    assert_eq!(pending["message"], with_number(number));
    assert_eq!(typed(&wire, number).await.1["status"], "accepted");
    assert!(call().await["data"].is_string());
}

#[tokio::test]
async fn an_assertion_of_version_1_shows_its_number_in_the_message() {
    let (wire, device) = started(Scope::Authenticate).await;
    let (user, app) = (wire.server.user(1), AWS);
    let auth =
        json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": app });
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/1/saml_assertion", &auth.to_string()).await.json();
    let token = &told["data"][0]["state_token"];
    let step = json!({ "app_id": app, "state_token": token, "device_id": device }).to_string();
    let path = "/api/1/saml_assertion/verify_factor";
    let pending = wire.call_as(Scope::Authenticate, "POST", path, &step).await.json();
    let message = wire.message("push", 0).await;
    assert_eq!(message["digits"], json!(2), "{pending}");
    let said = pending["status"]["message"].as_str().expect("a message");
    let number = said.rsplit(' ').next().unwrap();
    assert_eq!(said, with_number(number), "{pending}");
    assert_eq!(typed(&wire, number).await.1["status"], "accepted");
}

#[tokio::test]
async fn clients_that_have_not_chosen_it_see_nothing_of_it() {
    let (wire, device) = started(Scope::ManageAll).await;
    choose(&wire, Scope::ManageAll, false).await;
    let told = wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await.json();
    assert_eq!(told["data"][0].get("verification_token"), None);
    let token = told["data"][0]["state_token"].as_str().unwrap();
    for said in [told.clone(), poll(&wire, device, token).await.json()] {
        assert_eq!(said["status"]["message"], "Authentication pending on OL Protect", "{said}");
    }
    wire.server.advance(300);
    let opened = wire.post("2/verifications", &json!({ "device_id": device.to_string() }).to_string()).await.json();
    assert_eq!(opened.get("factor_data"), None);
    let message = wire.server.outbox("channel=push").await.pop().expect("a push");
    assert_eq!(message.get("digits"), None);
    wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
}
