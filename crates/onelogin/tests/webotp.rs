//! Codes that are bound to a host (contract 18.7): for clients that have one, the last line of every text message with a
//! code names it, whatever the door.

mod wire;

use domain::rules::client::{Choice, WebOtp};
use domain::{Scope, WebOtpHost};
use serde_json::{Value, json};
use wire::Wire;

async fn bind(wire: &Wire, host: WebOtp) {
    let engine = wire.server.world.engine();
    let choice = || Choice { webotp: Some(host.clone()), ..Choice::default() };
    for scope in [Scope::ManageAll, Scope::Authenticate] {
        let chosen = engine.choose_for_client(&wire.server.client(scope).client_id, choice()).await;
        assert!(chosen.expect("a database").is_some());
    }
}

async fn bound() -> Wire {
    let wire = Wire::start().await;
    bind(&wire, WebOtp::Host(WebOtpHost::parse("login.example.com").expect("a host"))).await;
    wire
}

/// The text that a call sends, and its code.
async fn sent(wire: &Wire, path: &str, body: Value) -> (String, String) {
    let after = wire.newest_message().await;
    let told = wire.post(path, &body.to_string()).await;
    assert!(matches!(told.status(), 200 | 201), "{path}: {}", told.json());
    let message = wire.message("sms", after).await;
    let text = |name: &str| message[name].as_str().expect("a text").to_owned();
    (text("body"), text("code"))
}

fn is_bound((text, code): &(String, String)) -> bool {
    text.ends_with(&format!("\n\n@login.example.com #{code}")) && text.chars().count() <= 160
}

#[tokio::test]
async fn every_door_binds_the_code_to_the_host_of_its_client() {
    let wire = bound().await;
    let registration = json!({ "factor_id": 2, "custom_message": "Hello {{otp_code}}" });
    let enrolled = sent(&wire, "2/registrations", registration).await;
    assert!(is_bound(&enrolled) && enrolled.0.starts_with("Hello "), "{enrolled:?}");

    let (device, _) = wire.enrolled(r#"{"factor_id":2,"display_name":"Ben's SMS","verified":true}"#).await;
    let triggered = sent(&wire, &format!("1/otp_devices/{device}/trigger"), json!({})).await;
    assert!(is_bound(&triggered), "{triggered:?}");
    let verification = sent(&wire, "2/verifications", json!({ "device_id": device.to_string() })).await;
    assert!(is_bound(&verification), "{verification:?}");

    let number = wire.server.user(1).phone.clone();
    let visit = json!({
        "user_identifier": "new@example.com", "phone": number, "risk_threshold": 0,
        "context": { "ip": "192.0.2.1", "user_agent": "curl" },
    });
    let judged = sent(&wire, "/api/2/smart-mfa", visit).await;
    assert!(is_bound(&judged), "{judged:?}");
}

#[tokio::test]
async fn a_callers_text_that_leaves_no_room_for_the_line_is_too_long() {
    let wire = bound().await;
    let (device, _) = wire.enrolled(r#"{"factor_id":2,"display_name":"Ben's SMS","verified":true}"#).await;
    // The code, a line break and the line have the rest.
    let text = |letters: usize| format!("{{{{otp_code}}}}{}", "x".repeat(letters));
    let room = 160 - 6 - 1 - "@login.example.com #000000".len();
    for (letters, v1, v2) in [(room, 200, 201), (room + 1, 400, 422)] {
        let told = wire
            .post(&format!("1/otp_devices/{device}/trigger"), &json!({ "sms_message": text(letters) }).to_string())
            .await;
        assert_eq!(told.status(), v1, "{}", told.json());
        let body = json!({ "device_id": device.to_string(), "custom_message": text(letters) });
        let told = wire.post("2/verifications", &body.to_string()).await;
        assert_eq!(told.status(), v2, "{}", told.json());
    }
    bind(&wire, WebOtp::Unbound).await;
    wire.server.forget_tokens();
    let told = wire
        .post(&format!("1/otp_devices/{device}/trigger"), &json!({ "sms_message": text(room + 1) }).to_string())
        .await;
    assert_eq!(told.status(), 200, "{}", told.json());
}

#[tokio::test]
async fn log_ins_bind_the_code_too() {
    for (door, second) in [
        ("/api/1/login/auth", "/api/1/login/verify_factor"),
        ("/api/2/login/auth", "/api/2/login/verify_factor"),
        ("/api/1/saml_assertion", "/api/1/saml_assertion/verify_factor"),
        ("/api/2/saml_assertion", "/api/2/saml_assertion/verify_factor"),
    ] {
        let wire = bound().await;
        let (device, _) = wire.enrolled(r#"{"factor_id":2,"display_name":"Ben's SMS","verified":true}"#).await;
        let user = wire.server.user(1);
        let body = json!({
            "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": 1,
        });
        let told = wire.call_as(Scope::Authenticate, "POST", door, &body.to_string()).await;
        let step = json!({ "state_token": told.text("state_token"), "device_id": device, "app_id": 1 });
        let after = wire.newest_message().await;
        wire.call_as(Scope::Authenticate, "POST", second, &step.to_string()).await;
        let message = wire.message("sms", after).await;
        let text = |name: &str| message[name].as_str().expect("a text").to_owned();
        assert!(is_bound(&(text("body"), text("code"))), "{second}: {message}");
    }
}
