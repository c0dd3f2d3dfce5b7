//! SEC 13: after three prompts that nobody accepted, push answers 429, and the person is told over another channel.

mod wire;

use domain::Scope;
use serde_json::{Value, json};
use testkit::Setup;
use wire::Wire;

async fn limited() -> Wire {
    Wire::start_with(Setup { message_limits: true, ..Setup::default() }).await
}

async fn push(wire: &Wire) -> i64 {
    let (device, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    device
}

/// Asks until push is refused; gives how often it was not.
async fn ask(wire: &Wire, device: i64, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        // A prompt that ran out, so that the next is another.
        let told = wire.post(&format!("1/otp_devices/{device}/trigger"), r#"{"state_token_expires_in":30}"#).await;
        statuses.push(told.status());
        wire.server.advance(31);
    }
    statuses
}

async fn warnings(wire: &Wire, channel: &str, words: &str) -> Vec<Value> {
    let sent = wire.server.send(wire::Script::get(&format!("/dev/outbox?channel={channel}"))).await.json();
    let of = |message: &&Value| message["body"].as_str().is_some_and(|body| body.contains(words));
    sent.as_array().expect("a list").iter().filter(of).cloned().collect()
}

#[tokio::test]
async fn whoever_is_worn_down_with_prompts_is_warned_by_mail_once_an_hour() {
    let wire = limited().await;
    let device = push(&wire).await;
    assert_eq!(ask(&wire, device, 6).await, [200, 200, 200, 429, 429, 429]);
    let words = "did not accept";
    let message = wire.message("email", 0).await;
    assert_eq!(message["to"], json!(wire.server.user(1).email));
    assert!(message["body"].as_str().expect("words").contains(words), "{message}");
    assert_eq!((&message["code"], &message["link"]), (&Value::Null, &Value::Null));
    assert_eq!(warnings(&wire, "email", words).await.len(), 1, "six requests, one warning");
    let events = wire.get(&format!("/api/1/events?user_id={}&event_type_id=90035", wire.user)).await.json();
    assert_eq!(events["data"].as_array().map(Vec::len), Some(1), "{events}");

    // An hour later the same again.
    wire.server.advance(3_700);
    assert_eq!(ask(&wire, device, 4).await, [200, 200, 200, 429]);
    wire.message("email", message["id"].as_i64().expect("an id")).await;
    assert_eq!(warnings(&wire, "email", words).await.len(), 2);
}

#[tokio::test]
async fn a_log_in_warns_too_and_without_an_address_by_text_message() {
    let wire = limited().await;
    let device = push(&wire).await;
    let user = wire.server.user(1);
    let (username, password) = (user.username.clone(), user.password.clone());
    let changed = wire.call("PUT", &format!("/api/2/users/{}", wire.user), r#"{"email":""}"#).await;
    assert_eq!((changed.status(), &changed.json()["email"]), (200, &Value::Null), "{changed}");
    assert_ne!(changed.json()["phone"], Value::Null);
    assert_eq!(ask(&wire, device, 3).await, [200, 200, 200]);
    let auth = json!({ "username_or_email": username, "password": password, "subdomain": "acme" }).to_string();
    let told = wire.call_as(Scope::AuthenticationOnly, "POST", "/api/1/login/auth", &auth).await;
    let step = json!({ "state_token": told.text("state_token"), "device_id": device }).to_string();
    let stepped = wire.call_as(Scope::AuthenticationOnly, "POST", "/api/1/login/verify_factor", &step).await;
    assert_eq!(stepped.status(), 429);
    let message = wire.message("sms", 0).await;
    assert!(message["body"].as_str().expect("words").contains("did not accept"), "{message}");
}

#[tokio::test]
async fn an_accepted_prompt_or_one_asked_for_too_soon_warns_nobody() {
    let wire = limited().await;
    let device = push(&wire).await;
    for _ in 0..2 {
        assert_eq!(ask(&wire, device, 1).await, [200]);
        wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await;
        wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
        // Within 30 s of the one before.
        assert_eq!(wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await.status(), 429);
        wire.server.advance(31);
    }
    assert_eq!(warnings(&wire, "email", "did not accept").await.len(), 0);
}
