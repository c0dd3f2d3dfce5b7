//! The log-in flow on the wire: section 5 of the contract, row by row.

mod passwords;
mod session_tokens;
#[path = "../wire/mod.rs"]
mod wire;

use std::sync::Arc;

use domain::Scope;
use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Script, Setup, TestServer};
use wire::{Told, Wire, other};

/// The body of a log-in of Ana.
fn credentials(wire: &Wire) -> Value {
    let user = wire.server.user(1);
    json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" })
}

async fn login(wire: &Wire, body: &Value) -> Told {
    wire.call_as(Scope::Authenticate, "POST", "/api/1/login/auth", &body.to_string()).await
}

async fn step(wire: &Wire, body: &Value) -> Told {
    wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &body.to_string()).await
}

async fn phone(wire: &Wire) -> i64 {
    let (device, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    device
}

async fn sms(wire: &Wire) -> i64 {
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":true}"#;
    wire.enrolled(body).await.0
}

/// A log-in under way.
async fn under_way(wire: &Wire) -> String {
    let told = login(wire, &credentials(wire)).await;
    assert_eq!(told.json()["status"]["message"], "MFA is required for this user", "{}", told.0);
    told.text("state_token")
}

#[tokio::test]
async fn without_a_device_a_session_token_is_given_at_once() {
    let wire = Wire::start().await;
    let mut body = credentials(&wire);
    body["return_to_url"] = "https://app.example/home".into();
    let told = login(&wire, &body).await;
    assert_snapshot!(told, @r#"
POST /api/1/login/auth
{"password":"ben-76b1ff1a6cb1b237","return_to_url":"https://app.example/home","subdomain":"acme","username_or_email":"ben"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"status":"Authenticated","user":{"email":"ben@example.com","firstname":"Ben","id":2,"lastname":"Okafor","username":"ben"},"return_to_url":"https://app.example/home","expires_at":"2026/03/01 09:32:00 +0000","session_token":"<40 hex>"}]}
"#);
}

#[tokio::test]
async fn with_a_device_a_factor_is_asked_for_and_completes_the_log_in() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let told = login(&wire, &credentials(&wire)).await;
    assert_snapshot!(told, @r#"
POST /api/1/login/auth
{"password":"ben-76b1ff1a6cb1b237","subdomain":"acme","username_or_email":"ben"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"MFA is required for this user"},"data":[{"state_token":"<40 hex>","user":{"email":"ben@example.com","firstname":"Ben","id":2,"lastname":"Okafor","username":"ben"},"devices":[{"device_type":"Google Authenticator","device_id":1}],"callback_url":"http://127.0.0.1:8080/api/1/login/verify_factor"}]}
"#);
    let token = told.text("state_token");
    let code = app.code(wire.server.now());
    let wrong = json!({ "state_token": token, "device_id": device.to_string(), "otp_token": other(&code) });
    assert_snapshot!(step(&wire, &wrong).await, @r#"
POST /api/1/login/verify_factor
{"device_id":"1","otp_token":"882462","state_token":"<40 hex>"}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    let right = json!({ "state_token": token, "device_id": device, "otp_token": code });
    assert_snapshot!(step(&wire, &right).await, @r#"
POST /api/1/login/verify_factor
{"device_id":1,"otp_token":"882467","state_token":"<40 hex>"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"status":"Authenticated","user":{"email":"ben@example.com","firstname":"Ben","id":2,"lastname":"Okafor","username":"ben"},"return_to_url":null,"expires_at":"2026/03/01 09:33:00 +0000","session_token":"<40 hex>"}]}
"#);
    let again = json!({ "state_token": token, "device_id": device, "otp_token": app.code(wire.server.now()) });
    assert_snapshot!(step(&wire, &again).await, @r#"
POST /api/1/login/verify_factor
{"device_id":1,"otp_token":"882467","state_token":"<40 hex>"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"State token is invalid or expired"}}
"#);
}

/// Contract 14.10: a text message that was sent is a 200 of type `success` here.
#[tokio::test]
async fn a_text_message_is_sent_polled_and_answered() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let token = under_way(&wire).await;
    let ask = json!({ "state_token": token, "device_id": device.to_string() });
    let (told, code) = wire.sent("sms", step(&wire, &ask)).await;
    assert_snapshot!(told, @r#"
POST /api/1/login/verify_factor
{"device_id":"1","state_token":"<40 hex>"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"SMS token sent to your mobile device. Authentication pending."}}
"#);
    let poll = json!({ "state_token": token, "device_id": device.to_string(), "do_not_notify": true });
    assert_eq!(step(&wire, &poll).await.json()["status"]["code"], 200);
    let answer = json!({ "state_token": token, "device_id": device.to_string(), "otp_token": code });
    assert_eq!(step(&wire, &answer).await.json()["data"][0]["status"], "Authenticated");
}

#[tokio::test]
async fn do_not_notify_holds_back_prompts_and_second_messages_but_not_the_first_code() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let token = under_way(&wire).await;
    let silent = json!({ "state_token": token, "device_id": device, "do_not_notify": true });
    // A command-line tool asks for its code like this.
    let (told, code) = wire.sent("sms", step(&wire, &silent)).await;
    assert_eq!(told.status(), 200, "{told}");
    let sent = wire.newest_message().await;
    assert_eq!(step(&wire, &silent).await.json()["status"]["code"], 200);
    assert_eq!(wire.newest_message().await, sent, "no second message");
    let answer = json!({ "state_token": token, "device_id": device, "otp_token": code });
    assert_eq!(step(&wire, &answer).await.json()["data"][0]["status"], "Authenticated");

    let device = phone(&wire).await;
    let token = under_way(&wire).await;
    let before = wire.newest_message().await;
    let silent = json!({ "state_token": token, "device_id": device, "do_not_notify": true });
    assert_eq!(step(&wire, &silent).await.json()["status"]["type"], "pending");
    assert_eq!(wire.newest_message().await, before, "no prompt");
}

#[tokio::test]
async fn a_second_message_within_thirty_seconds_is_refused_where_limits_are_on() {
    let wire = Wire::start_with(Setup { message_limits: true, ..Setup::default() }).await;
    let device = sms(&wire).await;
    let token = under_way(&wire).await;
    let ask = json!({ "state_token": token, "device_id": device });
    assert_eq!(step(&wire, &ask).await.status(), 200);
    let refused = step(&wire, &ask).await;
    assert_eq!((refused.status(), refused.0.header("retry-after")), (429, Some("30")), "{}", refused.0);
    wire.server.advance(31);
    assert_eq!(step(&wire, &ask).await.status(), 200);
}

/// Contract 14.10: what is pending is a 200 of type `pending` here.
#[tokio::test]
async fn a_push_is_put_once_polled_and_collected_once() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let token = under_way(&wire).await;
    let ask = json!({ "state_token": token, "device_id": device.to_string() });
    let before = wire.newest_message().await;
    assert_snapshot!(step(&wire, &ask).await, @r#"
POST /api/1/login/verify_factor
{"device_id":"1","state_token":"<40 hex>"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"pending","message":"Authentication pending on OL Protect"}}
"#);
    let prompt = wire.message("push", before).await["id"].as_i64().unwrap();
    for _ in 0..3 {
        // Several clients poll without saying that nothing shall be sent.
        assert_eq!(step(&wire, &ask).await.json()["status"]["type"], "pending");
    }
    assert_eq!(wire.newest_message().await, prompt, "one notification");
    wire.dev("/dev/phone/accept", "").await;
    assert_eq!(step(&wire, &ask).await.json()["data"][0]["status"], "Authenticated");
    assert_eq!(step(&wire, &ask).await.json()["status"]["message"], "State token is invalid or expired");
}

#[tokio::test]
async fn a_denied_push_is_401() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let token = under_way(&wire).await;
    let ask = json!({ "state_token": token, "device_id": device.to_string() });
    let before = wire.newest_message().await;
    step(&wire, &ask).await;
    wire.message("push", before).await;
    wire.dev("/dev/phone/deny", "").await;
    assert_snapshot!(step(&wire, &ask).await, @r#"
POST /api/1/login/verify_factor
{"device_id":"1","state_token":"<40 hex>"}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
}

#[tokio::test]
async fn another_log_in_cannot_collect_an_approval() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let (one, two) = (under_way(&wire).await, under_way(&wire).await);
    let before = wire.newest_message().await;
    step(&wire, &json!({ "state_token": one, "device_id": device })).await;
    wire.message("push", before).await;
    wire.dev("/dev/phone/accept", "").await;
    let poll = json!({ "state_token": two, "device_id": device, "do_not_notify": true });
    assert_eq!(step(&wire, &poll).await.json()["status"]["type"], "pending");
    let own = step(&wire, &json!({ "state_token": one, "device_id": device })).await;
    assert_eq!(own.json()["data"][0]["status"], "Authenticated");
}

#[tokio::test]
async fn a_temporary_token_stands_for_any_device() {
    let wire = Wire::start().await;
    let (device, _) = wire.app().await;
    for device in [0, device] {
        let issued = wire.post("1/mfa_token", "").await.json()["mfa_token"].as_str().unwrap().to_owned();
        let token = under_way(&wire).await;
        let body = json!({ "state_token": token, "device_id": device, "otp_token": issued });
        assert_eq!(step(&wire, &body).await.json()["data"][0]["status"], "Authenticated", "device {device}");
    }
}

#[tokio::test]
async fn every_missing_field_is_named() {
    let wire = Wire::start().await;
    for (field, message) in [
        ("username_or_email", "username is empty"),
        ("password", "password is empty"),
        ("subdomain", "subdomain is empty"),
    ] {
        for value in [json!(""), Value::Null] {
            let mut body = credentials(&wire);
            body[field] = value;
            let told = login(&wire, &body).await;
            assert_eq!((told.status(), &told.json()["status"]["type"]), (400, &json!("bad request")));
            assert_eq!(told.json()["status"]["message"], message);
        }
    }
    for (body, message) in [(json!({}), "state_token is empty"), (json!({ "state_token": "x" }), "device_id is empty")]
    {
        let told = step(&wire, &body).await;
        assert_eq!((told.status(), &told.json()["status"]["type"]), (400, &json!("error")));
        assert_eq!(told.json()["status"]["message"], message);
    }
    // The quick start's sample sends the token itself as the key (contract 14.23).
    let told = step(&wire, &json!({ "abc": "abc" })).await;
    assert_eq!(told.json()["status"]["message"], "state_token is empty");
    let (device, _) = wire.app().await;
    let token = under_way(&wire).await;
    let told = step(&wire, &json!({ "state_token": token, "device_id": device })).await;
    assert_eq!((told.status(), &told.json()["status"]["message"]), (400, &json!("OTP token blank")));
    let told = step(&wire, &json!({ "state_token": token, "device_id": 987_654 })).await;
    assert_eq!((told.status(), &told.json()["status"]["message"]), (400, &json!("Factor could not be found")));
}

#[tokio::test]
async fn a_locked_user_is_told_so_with_the_right_password_only() {
    let wire = Wire::start().await;
    assert_eq!(wire.put("1/lock_user", r#"{"locked_until":15}"#).await.status(), 200);
    assert_snapshot!(login(&wire, &credentials(&wire)).await, @r#"
POST /api/1/login/auth
{"password":"ben-76b1ff1a6cb1b237","subdomain":"acme","username_or_email":"ben"}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"User is locked. Access is unauthorized"}}
"#);
    let mut wrong = credentials(&wire);
    wrong["password"] = "something else".into();
    let told = login(&wire, &wrong).await;
    assert_eq!(told.json()["status"]["message"], "Authentication Failed: Invalid user credentials");
}

/// SEC 55: when a lock ends or is lifted, a user who was barred before it stays barred.
#[tokio::test]
async fn the_end_of_a_lock_lets_in_nobody_who_was_kept_out() {
    let wire = Wire::start().await;
    let id = wire.user;
    let user = format!("/api/2/users/{id}");
    let shown = async || wire.get(&user).await.json()["status"].as_i64().unwrap();
    for (status, minutes) in [0, 4, 5, 7, 8, 1].into_iter().flat_map(|status| [(status, 1), (status, 0)]) {
        wire.put(&user, &format!(r#"{{"status":{status}}}"#)).await;
        let before = login(&wire, &credentials(&wire)).await.status();
        assert_eq!(before, if status == 1 { 200 } else { 401 }, "{status}");
        assert_eq!(wire.put("1/lock_user", &format!(r#"{{"locked_until":{minutes}}}"#)).await.status(), 200);
        assert_eq!(shown().await, 3);
        if minutes == 0 {
            let unlocked = wire.call_as(Scope::ManageUsers, "POST", &format!("{user}/unlock"), "{}").await;
            assert_eq!(unlocked.status(), 200, "{status}");
        } else {
            wire.server.advance(61);
        }
        assert_eq!(shown().await, status);
        assert_eq!(login(&wire, &credentials(&wire)).await.status(), before, "{status}, {minutes} minutes");
    }
}

#[tokio::test]
async fn another_subdomain_is_refused_where_ours_is_asked_for() {
    let options = countersign_onelogin::DialectOptions {
        accept_any_subdomain: false,
        ..countersign_onelogin::DialectOptions::default()
    };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    assert_eq!(login(&wire, &credentials(&wire)).await.status(), 200);
    let mut body = credentials(&wire);
    body["app_id"] = "1".into();
    // It is a name that people type, at every door that takes it.
    for (subdomain, ours) in
        [("ACME", true), (" acme\u{3000}", true), ("ac\u{200b}me", true), ("other", false), ("acm", false)]
    {
        body["subdomain"] = subdomain.into();
        for path in ["/api/1/login/auth", "/api/1/saml_assertion", "/api/2/saml_assertion"] {
            let told = wire.call_as(Scope::Authenticate, "POST", path, &body.to_string()).await;
            assert_eq!(told.status(), if ours { 200 } else { 400 }, "{path} {subdomain:?}: {told}");
            assert_eq!(told.0.text.contains("Invalid subdomain"), !ours, "{path} {subdomain:?}: {told}");
        }
    }
}

#[tokio::test]
async fn custom_attributes_are_shown_when_asked_for() {
    let wire = Wire::start().await;
    wire.put("1/set_custom_attributes", r#"{"custom_attributes":{"team":"red","floor":"7"}}"#).await;
    let mut body = credentials(&wire);
    body["fields"] = "team, none".into();
    let user = login(&wire, &body).await.json()["data"][0]["user"].clone();
    assert_eq!((&user["team"], user.get("floor"), user.get("none")), (&json!("red"), None, None));
}

#[tokio::test]
async fn the_mcp_servers_paths_answer_as_version_1() {
    let wire = Wire::start().await;
    let body = credentials(&wire).to_string();
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/2/login/auth", &body).await;
    assert_eq!(told.json()["data"][0]["status"], "Authenticated");
    let told = wire.call_as(Scope::ReadUsers, "POST", "/api/2/login/auth", &body).await;
    assert_eq!((told.status(), &told.json()["status"]["message"]), (401, &json!("Insufficient Permission")));
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/2/login/verify_factor", "{}").await;
    assert_eq!(told.json()["status"]["message"], "state_token is empty");
}

#[tokio::test]
async fn logging_out_ends_what_is_under_way() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let token = under_way(&wire).await;
    assert_eq!(wire.put("1/logout", "").await.status(), 200);
    let body = json!({ "state_token": token, "device_id": device, "otp_token": app.code(wire.server.now()) });
    assert_eq!(step(&wire, &body).await.json()["status"]["message"], "State token is invalid or expired");
}

/// Contract 5.2, 14.10: the type is the documented one, or the one that a client in use waits for. Nothing else changes.
#[tokio::test]
async fn a_sent_message_may_be_called_pending() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let client = wire.server.client(Scope::Authenticate).client_id.clone();
    for (pending, kind) in [(None, "success"), (Some(true), "pending"), (Some(false), "success")] {
        let choice = domain::rules::client::Choice { sent_is_pending: pending, ..Default::default() };
        wire.server.world.engine().choose_for_client(&client, choice).await.expect("a database");
        let body = json!({ "state_token": under_way(&wire).await, "device_id": device.to_string() });
        let (sent, code) = wire.sent("sms", step(&wire, &body)).await;
        let status = sent.json()["status"].clone();
        assert_eq!((sent.status(), &status["type"], &status["error"]), (200, &json!(kind), &json!(false)), "{sent}");
        assert_eq!(status["message"], "SMS token sent to your mobile device. Authentication pending.");
        let mut answer = body.clone();
        answer["otp_token"] = code.into();
        let done = step(&wire, &answer).await.json();
        assert_eq!((&done["status"]["type"], &done["data"][0]["status"]), (&json!("success"), &json!("Authenticated")));
    }
}

/// A client is asked to wait only if waiting can succeed.
#[tokio::test]
async fn a_dead_prompt_is_not_pending() {
    for (door, second) in [
        ("/api/1/login/auth", "/api/1/login/verify_factor"),
        ("/api/2/login/auth", "/api/2/login/verify_factor"),
        ("/api/1/saml_assertion", "/api/1/saml_assertion/verify_factor"),
        ("/api/2/saml_assertion", "/api/2/saml_assertion/verify_factor"),
    ] {
        let wire = Wire::start().await;
        let device = phone(&wire).await;
        let mut body = credentials(&wire);
        body["app_id"] = 1.into();
        let told = wire.call_as(Scope::Authenticate, "POST", door, &body.to_string()).await;
        let step = async |silent: bool| {
            let body = json!({
                "state_token": told.text("state_token"), "device_id": device, "app_id": 1, "do_not_notify": silent,
            });
            wire.call_as(Scope::Authenticate, "POST", second, &body.to_string()).await
        };
        let pending =
            |told: &Told| told.status() == 200 && told.0.text.contains("Authentication pending on OL Protect");
        assert!(pending(&step(true).await), "{door}: before any prompt");
        let before = wire.newest_message().await;
        assert!(pending(&step(false).await), "{door}");
        wire.message("push", before).await;
        wire.server.advance(119);
        assert!(pending(&step(true).await), "{door}: while it lives");
        wire.server.advance(2);
        for _ in 0..2 {
            let dead = step(true).await;
            assert_eq!(dead.status(), 401, "{door}: {}", dead.0);
            assert!(dead.0.text.contains("Failed authentication with this factor"), "{door}: {}", dead.0);
        }
        let before = wire.newest_message().await;
        assert!(pending(&step(false).await), "{door}: asked for again");
        wire.message("push", before).await;
        wire.dev("/dev/phone/accept", "").await;
        assert_eq!(step(true).await.status(), 200, "{door}");
    }
}
