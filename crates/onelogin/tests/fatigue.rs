//! SEC 13: after three prompts without acceptance, push answers 429, and the person is warned over another channel with
//! the third.

mod wire;

use domain::{Scope, SendLimits};
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

/// Changes the person.
async fn change(wire: &Wire, to: &str) -> Value {
    let changed = wire.call("PUT", &format!("/api/2/users/{}", wire.user), to).await;
    assert_eq!(changed.status(), 200, "{changed}");
    changed.json()
}

/// How often it was recorded that the person was warned, or should have been.
async fn warned(wire: &Wire) -> usize {
    let events = wire.get(&format!("/api/1/events?user_id={}&event_type_id=90035", wire.user)).await.json();
    events["data"].as_array().map_or(0, Vec::len)
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
    assert_eq!(warned(&wire).await, 1);

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
    let changed = change(&wire, r#"{"email":""}"#).await;
    assert_eq!(changed["email"], Value::Null);
    assert_ne!(changed["phone"], Value::Null);
    assert_eq!(ask(&wire, device, 2).await, [200, 200]);
    assert_eq!(warned(&wire).await, 0);
    let auth = json!({ "username_or_email": username, "password": password, "subdomain": "acme" }).to_string();
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/auth", &auth).await;
    let step = json!({ "state_token": told.text("state_token"), "device_id": device }).to_string();
    let stepped = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &step).await;
    assert_eq!(stepped.status(), 200, "{stepped}");
    let message = wire.message("sms", 0).await;
    assert!(message["body"].as_str().expect("words").contains("did not accept"), "{message}");
}

#[tokio::test]
async fn an_accepted_prompt_warns_nobody_and_the_next_may_follow_at_once() {
    let wire = limited().await;
    let device = push(&wire).await;
    for _ in 0..12 {
        assert_eq!(wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await.status(), 200);
        let accepted = wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
        assert_eq!(accepted["status"], "accepted");
    }
    assert_eq!(warnings(&wire, "email", "did not accept").await.len(), 0);
}

/// Prompts paced so that none is refused cause a warning too, and so do further prompts after a refusal.
#[tokio::test]
async fn prompts_that_are_paced_warn_too() {
    let wire = limited().await;
    let device = push(&wire).await;
    for (prompt, told) in [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1)] {
        assert_eq!(ask(&wire, device, 1).await, [200], "prompt {prompt}");
        assert_eq!(warned(&wire).await, told, "prompt {prompt}");
        wire.server.advance(70);
    }
    wire.server.advance(3_600);
    for prompt in 6..10 {
        assert_eq!(ask(&wire, device, 1).await, [200], "prompt {prompt}");
        wire.server.advance(900);
    }
    assert_eq!(warned(&wire).await, 1);
    assert_eq!(ask(&wire, device, 1).await, [200], "the tenth of the day");
    assert_eq!(warned(&wire).await, 2);
    wire.server.advance(3_600);
    assert_eq!(ask(&wire, device, 1).await, [429]);
    assert_eq!(warned(&wire).await, 3);
}

/// Using up the messages to an address does not switch the warning off.
#[tokio::test]
async fn a_warning_goes_where_it_still_may_and_is_recorded_even_if_it_may_go_nowhere() {
    for (full, by_text) in [(vec!["email"], 1), (vec!["email", "sms"], 0)] {
        let sends = SendLimits { target_per_day: 1, ..SendLimits::default() };
        let wire = Wire::start_with(Setup { message_limits: true, sends, ..Setup::default() }).await;
        let device = push(&wire).await;
        let user = wire.server.user(1);
        let (address, number) = (user.email.clone(), user.phone.clone());
        for channel in &full {
            let (factor, field, target) =
                if *channel == "email" { (4, "email", &address) } else { (2, "number", &number) };
            let body = json!({ "factor_id": factor, "display_name": "Another's", field: target }).to_string();
            assert_eq!(wire.post("2/registrations", &body).await.status(), 201, "{channel}");
        }
        assert_eq!(ask(&wire, device, 3).await, [200, 200, 200]);
        assert_eq!(warned(&wire).await, 1, "{full:?}");
        if by_text == 1 {
            wire.message("sms", 0).await;
        }
        assert_eq!(warnings(&wire, "sms", "did not accept").await.len(), by_text, "{full:?}");
        assert_eq!(warnings(&wire, "email", "did not accept").await.len(), 0, "{full:?}");
    }
}

/// SEC 34: the telephone of a profile is any text, and is sent to only if it could be enrolled.
#[tokio::test]
async fn no_warning_goes_to_a_number_that_could_not_be_enrolled() {
    // What is no number at all is refused where it is handed in.
    let wire = limited().await;
    for phone in ["+1;x=9005550123", "+1415555 0123, +19005550123"] {
        let path = format!("/api/2/users/{}", wire.user);
        let refused = wire.put(&path, &json!({ "email": "", "phone": phone }).to_string()).await;
        assert_eq!(refused.status(), 422, "{phone}");
    }
    for phone in ["+1 900 555 0123", "+1-9005550123"] {
        let wire = limited().await;
        let device = push(&wire).await;
        change(&wire, &json!({ "email": "", "phone": phone }).to_string()).await;
        assert_eq!(ask(&wire, device, 4).await, [200, 200, 200, 429]);
        assert_eq!(warned(&wire).await, 1, "{phone}");
        let enrolled = wire.post("2/registrations", r#"{"factor_id":2,"display_name":"Phone"}"#).await;
        assert_eq!(enrolled.status(), 422, "{phone}");
        assert_eq!(warnings(&wire, "sms", "").await.len(), 0, "{phone}");
    }
}
