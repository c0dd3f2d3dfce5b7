//! The log-in flow on the wire: section 5 of the contract, row by row.

mod wire;

use std::sync::Arc;

use domain::Scope;
use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Script, Setup, TestServer};
use wire::{Told, Wire, other};

/// What a log-in of Ana's asks for.
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
async fn unknown_users_and_wrong_passwords_are_told_alike() {
    let wire = Wire::start().await;
    let mut wrong = credentials(&wire);
    wrong["password"] = "something else".into();
    let mut unknown = credentials(&wire);
    unknown["username_or_email"] = "nobody".into();
    let (wrong, unknown) = (login(&wire, &wrong).await, login(&wire, &unknown).await);
    assert_eq!(wrong.0.text, unknown.0.text);
    assert_snapshot!(wrong, @r#"
POST /api/1/login/auth
{"password":"something else","subdomain":"acme","username_or_email":"ben"}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failed: Invalid user credentials"}}
"#);
}

#[tokio::test]
async fn a_name_is_a_user_name_or_a_mail_address_in_any_case() {
    let wire = Wire::start().await;
    let user = wire.server.user(1);
    for name in [user.username.to_uppercase(), user.email.clone(), user.email.to_uppercase()] {
        let mut body = credentials(&wire);
        body["username_or_email"] = name.clone().into();
        assert_eq!(login(&wire, &body).await.status(), 200, "{name}");
    }
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

/// SEC 55: lifting a lock, or its end, lets no user in who was barred before it.
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

// 5.3

async fn session_token(wire: &Wire, origins: Option<&str>, return_to: Option<&str>) -> String {
    let mut body = credentials(wire);
    if let Some(url) = return_to {
        body["return_to_url"] = url.into();
    }
    let token = wire.server.token(Scope::Authenticate).await;
    let mut script = Script::post("/api/1/login/auth").json(&body.to_string());
    script = script.header("authorization", &format!("bearer {token}"));
    if let Some(origins) = origins {
        script = script.header("custom-allowed-origin-header-1", "").header("custom-allowed-origin-header-2", origins);
    }
    wire.send(script).await.text("session_token")
}

#[tokio::test]
async fn a_form_hands_in_a_session_token_once() {
    let wire = Wire::start().await;
    let token = session_token(&wire, None, Some("https://app.example/home")).await;
    let form = || Script::post("/session_via_api_token").form(&format!("session_token={token}"));
    let first = wire.server.send(form()).await;
    assert_eq!(first.status.as_u16(), 200, "nowhere to go on to is allowed by default: {first}");
    let cookie = first.header("set-cookie").unwrap();
    assert!(cookie.contains("; Secure; HttpOnly; SameSite=None"), "{cookie}");
    assert!(first.header("content-type").unwrap().starts_with("text/html"));
    assert!(first.header("access-control-allow-origin").is_none());
    let second = wire.server.send(form()).await;
    assert_eq!((second.status.as_u16(), second.header("set-cookie")), (400, None));
}

#[tokio::test]
async fn a_form_goes_on_to_an_origin_that_is_configured() {
    let options = countersign_onelogin::DialectOptions {
        redirect_origins: vec!["https://app.example".to_owned()],
        ..countersign_onelogin::DialectOptions::default()
    };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    for (url, status) in [
        ("https://app.example/home?a=b", 302),
        ("https://app.example.evil.example/", 200),
        ("https://app.example@evil.example/", 200),
        ("javascript:alert(1)", 200),
    ] {
        let token = session_token(&wire, None, Some(url)).await;
        let answer =
            wire.server.send(Script::post("/session_via_api_token").form(&format!("session_token={token}"))).await;
        assert_eq!(answer.status.as_u16(), status, "{url}");
        assert_eq!(answer.header("location"), (status == 302).then_some(url));
    }
}

#[tokio::test]
async fn a_script_hands_in_a_session_token_from_a_listed_origin_only() {
    let wire = Wire::start().await;
    let origins = "https://a.example, nonsense, https://b.example:8443,https://c.example/path";
    let token = session_token(&wire, Some(origins), None).await;
    let body = json!({ "session_token": token }).to_string();
    let from = |origin: &str| Script::post("/session_via_api_token").json(&body).header("origin", origin);
    for origin in ["https://evil.example", "https://c.example", "https://b.example", "null"] {
        let refused = wire.server.send(from(origin)).await;
        assert_eq!(refused.status.as_u16(), 400, "{origin}");
        assert!(refused.header("access-control-allow-origin").is_none(), "{origin}");
    }
    let preflight = |origin: &str| {
        Script::new("OPTIONS", "/session_via_api_token")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let allowed = wire.server.send(preflight("https://b.example:8443")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://b.example:8443"));
    assert_eq!(allowed.header("access-control-allow-methods"), Some("POST"));
    assert!(wire.server.send(preflight("https://evil.example")).await.header("access-control-allow-origin").is_none());
    let answer = wire.server.send(from("https://b.example:8443")).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://b.example:8443"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(wire.server.send(from("https://b.example:8443")).await.status.as_u16(), 400, "a second time");
}

/// A log-in by app whose two calls name these origins; gives the session token.
async fn token_of_two_calls(wire: &Wire, password: Option<&str>, factor: Option<&str>, alias: bool) -> String {
    let token = wire.server.token(Scope::Authenticate).await;
    let version = if alias { 2 } else { 1 };
    let call = async |path: &str, body: &Value, origins: Option<&str>| {
        let script = Script::post(&format!("/api/{version}/login/{path}")).json(&body.to_string());
        let script = script.header("authorization", &format!("bearer {token}"));
        let name = "Custom-Allowed-Origin-Header-1";
        wire.send(if let Some(origins) = origins { script.header(name, origins) } else { script }).await
    };
    let (device, app) = wire.app().await;
    let state_token = call("auth", &credentials(wire), password).await.text("state_token");
    let code = app.code(wire.server.now());
    let body = json!({ "device_id": device.to_string(), "state_token": state_token, "otp_token": code });
    call("verify_factor", &body, factor).await.text("session_token")
}

/// Contract 5.4: on either call, and then both hold.
#[tokio::test]
async fn an_origin_named_with_the_factor_may_hand_in() {
    let (one, other) = ("https://one.example.com", "https://other.example.com");
    for (password, factor, allowed, refused) in [
        (None, Some(one), vec![one], vec![other]),
        (Some(one), None, vec![one], vec![other]),
        (Some(one), Some(one), vec![one], vec![other]),
        (Some(one), Some(other), vec![one, other], vec!["https://third.example.com"]),
        (Some(""), Some(""), vec![], vec![one]),
    ] {
        for alias in [false, true] {
            for origin in allowed.iter().chain(&refused) {
                let wire = Wire::start().await;
                let token = token_of_two_calls(&wire, password, factor, alias).await;
                let preflight = Script::new("OPTIONS", "/session_via_api_token").header("origin", origin);
                let preflight = wire.server.send(preflight).await;
                let body = json!({ "session_token": token }).to_string();
                let handed = Script::post("/session_via_api_token").json(&body).header("origin", origin);
                let handed = wire.server.send(handed).await;
                let expected = allowed.contains(origin);
                assert_eq!(preflight.header("access-control-allow-origin"), expected.then_some(*origin));
                assert_eq!(handed.status.as_u16(), if expected { 200 } else { 400 }, "{origin}: {handed}");
            }
        }
    }
}

/// Contract 5.4: as many as the head has room for, however they are numbered, and as an address bar shows them.
#[tokio::test]
async fn every_listed_origin_counts() {
    let wire = Wire::start().await;
    let token = wire.server.token(Scope::Authenticate).await;
    let mut script = Script::post("/api/1/login/auth").json(&credentials(&wire).to_string());
    for number in 1..=60 {
        let name = format!("custom-allowed-origin-header-{number}");
        script = script.header(&name, &format!("https://n{number}.example.com/, https://m{number}.example.com"));
    }
    let script =
        script.header("custom-allowed-origin-header-61", "https://path.example.com/a, https://two.example.com//");
    let told = wire.send(script.header("authorization", &format!("bearer {token}"))).await;
    assert_eq!(told.status(), 200, "{told}");
    let listed = async |origin: &str| {
        let preflight = Script::new("OPTIONS", "/session_via_api_token").header("origin", origin);
        wire.server.send(preflight).await.header("access-control-allow-origin").is_some()
    };
    for number in 1..=60 {
        assert!(listed(&format!("https://n{number}.example.com")).await, "{number}");
        assert!(listed(&format!("https://m{number}.example.com")).await, "{number}");
    }
    for ignored in ["https://path.example.com", "https://two.example.com"] {
        assert!(!listed(ignored).await, "what is no origin is ignored: {ignored}");
    }
}

#[tokio::test]
async fn a_session_token_is_over_after_two_minutes() {
    let wire = Wire::start().await;
    let token = session_token(&wire, None, None).await;
    wire.server.advance(121);
    let answer = wire.server.send(Script::post("/session_via_api_token").form(&format!("session_token={token}"))).await;
    assert_eq!(answer.status.as_u16(), 400);
}

/// Contract 3.2: a password that another system hashed is kept so until its next use, and then as any other.
#[tokio::test]
async fn who_comes_with_a_hashed_password_logs_in_with_the_password_itself() {
    let wire = Wire::start().await;
    let salted = json!({
        "password": "1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa", "password_confirmation": "1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa", "password_algorithm": "salt+sha256", "password_salt": "pepper"
    });
    let v1 = wire.call_as(Scope::ManageAll, "PUT", "/api/1/users/set_password_using_salt/2", &salted.to_string()).await;
    assert_eq!(v1.json()["status"]["message"], "Success", "{}", v1.0);
    let word = |password: &str| json!({ "username_or_email": "ben", "password": password, "subdomain": "acme" });
    let is_in = |told: Told| told.json()["data"][0]["status"] == "Authenticated";
    assert!(!is_in(login(&wire, &word("open sesam")).await));
    assert!(
        !is_in(login(&wire, &word("1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa")).await),
        "the hash is no password"
    );
    assert!(is_in(login(&wire, &word("open sesame")).await));
    assert!(is_in(login(&wire, &word("open sesame")).await), "hashed anew");
    for (algorithm, hash, salt, password) in [
        ("salt+sha256", "1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa", "pepper", "open sesame"),
        ("sha256+salt", "cd7149b0388d05a35aff577050a917c55704d074d31f969fe268217b5a87f21c", "pepper", "open sesame"),
        ("bcrypt", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "", "abc"),
    ] {
        let body = json!({
            "password": hash, "password_confirmation": hash, "password_algorithm": algorithm, "salt": salt
        });
        let v2 = wire.call_as(Scope::ManageAll, "PUT", "/api/2/users/2", &body.to_string()).await;
        assert_eq!(v2.json()["id"], 2, "{}", v2.0);
        assert!(is_in(login(&wire, &word(password)).await), "{algorithm}");
    }
}

#[tokio::test]
async fn a_name_opens_a_log_in_however_it_is_typed() {
    let wire = Wire::start().await;
    let body = json!({
        "username": "J\u{f6}rg", "email": "joerg@example.com",
        "password": "gru\u{308}\u{df}e dich", "password_confirmation": "gru\u{308}\u{df}e dich",
    });
    let made = wire.call_as(Scope::ManageAll, "POST", "/api/2/users", &body.to_string()).await;
    assert_eq!(made.status(), 201, "{}", made.0);
    let enter = async |name: &str, password: &str| {
        let body = json!({ "username_or_email": name, "password": password, "subdomain": "acme" });
        login(&wire, &body).await.status()
    };
    for name in ["J\u{f6}rg", "jo\u{308}rg ", " J\u{d6}RG", "JOERG@example.com", "joerg@example.com\u{a0}"] {
        assert_eq!(enter(name, "gr\u{fc}\u{df}e dich").await, 200, "{name:?}");
    }
    assert_eq!(enter("j\u{f6}rg", "gru\u{308}\u{df}e\u{a0}dich").await, 200);
    assert_eq!(enter("jorg", "gr\u{fc}\u{df}e dich").await, 401);
}

/// SEC 43: each client has its share of the places for hashes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_client_cannot_fill_the_password_queue() {
    let server = Arc::new(TestServer::start().await);
    let tokens = [server.token(Scope::Authenticate).await, server.token(Scope::ManageUsers).await];
    let log_in = |token: &str, name: String, password: &str| {
        let body = json!({ "username_or_email": name, "password": password, "subdomain": "acme" });
        let script = Script::post("/api/1/login/auth").header("authorization", &format!("Bearer {token}"));
        let (server, script) = (server.clone(), script.json(&body.to_string()));
        tokio::spawn(async move { server.send(script).await.status.as_u16() })
    };
    let crowd: Vec<_> = (0..120).map(|n| log_in(&tokens[0], format!("nobody{n}"), "open sesame")).collect();
    for _ in 0..2 {
        for number in 0..3 {
            let user = server.user(number).clone();
            assert_eq!(log_in(&tokens[1], user.username, &user.password).await.unwrap(), 200);
        }
    }
    for call in crowd {
        let status = call.await.unwrap();
        assert!(matches!(status, 401 | 503), "{status}");
    }
}

/// SEC 31: time does not tell who exists, whatever hashes others came with.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a time that a refusal takes at least, measured here as there")]
async fn an_unknown_name_takes_as_long_as_the_dearest_hash() {
    let wire = Wire::start().await;
    let engine = wire.server.world.engine();
    let own = engine.refusal_takes();
    let hash = "$2a$08$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga";
    let body = json!({
        "password": hash, "password_confirmation": hash, "password_algorithm": "bcrypt"
    });
    let set = wire.call_as(Scope::ManageAll, "PUT", "/api/2/users/2", &body.to_string()).await;
    assert_eq!(set.json()["id"], 2, "{}", set.0);
    let longest = engine.refusal_takes();
    assert!(longest > own, "known before the first log-in");
    let mut told = Vec::new();
    for name in ["nobody", "ana", "ben"] {
        let started = std::time::Instant::now();
        let body = json!({ "username_or_email": name, "password": "open sesame", "subdomain": "acme" });
        told.push(login(&wire, &body).await.0.text.clone());
        let took = i64::try_from(started.elapsed().as_millis()).unwrap();
        // The shortest that such a comparison took is what all wait for: a busy machine adds to each alike.
        assert!(took >= engine.refusal_takes(), "{name}: {took} of {longest} ms");
    }
    told.dedup();
    assert_eq!(told.len(), 1);
    // While a name is held off nothing is compared, and the answer is the same.
    for _ in 0..10 {
        login(&wire, &json!({ "username_or_email": "chie", "password": "wrong", "subdomain": "acme" })).await;
    }
    let right = &wire.server.user(2).password;
    let held = login(&wire, &json!({ "username_or_email": "chie", "password": right, "subdomain": "acme" })).await;
    assert_eq!(held.0.text, told[0]);
}

/// Contract 5.2, 14.10: as documented, or as a client in use waits for it; only this type changes.
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

/// A wait that a client reads is one that can succeed.
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
