//! Smart MFA on the wire: section 8 of the contract.

mod wire;

use domain::Scope;
use insta::assert_snapshot;
use serde_json::{Value, json};
use wire::{Told, Wire, other};

async fn call(wire: &Wire, path: &str, body: &Value) -> Told {
    wire.call_as(Scope::ManageAll, "POST", path, &body.to_string()).await
}

fn visit(ip: &str, agent: &str) -> Value {
    json!({
        "user_identifier": "zoe", "email": "zoe@example.com", "firstname": "Zoe",
        "context": { "ip": ip, "user_agent": agent, "session_id": "s" }
    })
}

fn sent(told: &Told) -> bool {
    told.json()["mfa"]["otp_sent"].as_bool().expect("told whether a code was sent")
}

#[tokio::test]
async fn a_new_visit_costs_a_code_and_is_known_afterwards() {
    let wire = Wire::start().await;
    let home = visit("192.0.2.1", "Firefox");
    let (asked, code) = wire.sent("email", call(&wire, "/api/2/smart-mfa", &home)).await;
    assert_snapshot!(asked, @r#"
POST /api/2/smart-mfa
{"context":{"ip":"192.0.2.1","session_id":"s","user_agent":"Firefox"},"email":"zoe@example.com","firstname":"Zoe","user_identifier":"zoe"}
→ 200 OK
{"user_id":4,"userId":4,"risk":{"score":100,"reasons":["Accessed from a new IP address","Accessed with a new user agent"]},"mfa":{"otp_sent":true,"state_token":"<uuid>"}}
"#);
    let token = asked.json()["mfa"]["state_token"].as_str().expect("a state token").to_owned();
    let wrong = json!({ "state_token": token, "otp_token": other(&code) });
    assert_snapshot!(call(&wire, "/api/2/smart-mfa/verify", &wrong).await, @r#"
POST /api/2/smart-mfa/verify
{"otp_token":"618362","state_token":"<uuid>"}
→ 401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    let right = json!({ "state_token": token, "otp_token": code });
    assert_snapshot!(call(&wire, "/api/2/smart-mfa/verify", &right).await, @r#"
POST /api/2/smart-mfa/verify
{"otp_token":"618369","state_token":"<uuid>"}
→ 200 OK
{}
"#);
    assert_snapshot!(call(&wire, "/api/2/smart-mfa/verify", &right).await, @r#"
POST /api/2/smart-mfa/verify
{"otp_token":"618369","state_token":"<uuid>"}
→ 400 Bad Request
{"statusCode":400,"name":"BadRequestError","message":"State token is invalid or expired"}
"#);
    assert_snapshot!(call(&wire, "/api/2/smart-mfa", &home).await, @r#"
POST /api/2/smart-mfa
{"context":{"ip":"192.0.2.1","session_id":"s","user_agent":"Firefox"},"email":"zoe@example.com","firstname":"Zoe","user_identifier":"zoe"}
→ 200 OK
{"user_id":4,"userId":4,"risk":{"score":0,"reasons":[]},"mfa":{"otp_sent":false}}
"#);
    wire.server.advance(601);
    for (other, reason) in [
        (visit("192.0.2.2", "Firefox"), "Accessed from a new IP address"),
        (visit("192.0.2.1", "curl"), "Accessed with a new user agent"),
    ] {
        let told = call(&wire, "/api/2/smart-mfa", &other).await;
        assert_eq!(told.json()["risk"], json!({ "score": 100, "reasons": [reason] }), "{told}");
        assert!(sent(&told));
        wire.server.advance(601);
    }
    assert!(!sent(&call(&wire, "/api/2/smart-mfa", &home).await), "what was proved stays known");
}

/// SEC 56: a visit depends on the factor that was used, and ends with it as a remembered browser does.
#[tokio::test]
async fn a_visit_is_known_no_longer_than_what_it_stood_on() {
    let wire = Wire::start().await;
    let mut home = visit("192.0.2.1", "Firefox");
    let (asked, code) = wire.sent("email", call(&wire, "/api/2/smart-mfa", &home)).await;
    let id = asked.json()["user_id"].as_i64().expect("a user");
    let right = json!({ "state_token": asked.json()["mfa"]["state_token"], "otp_token": code });
    assert_eq!(call(&wire, "/api/2/smart-mfa/verify", &right).await.status(), 200);
    let device = async || {
        let devices = wire.get(&format!("/api/2/mfa/users/{id}/devices")).await.json();
        devices[0]["device_id"].as_str().expect("the device that codes go to").to_owned()
    };
    let (one, two) = (format!("/api/1/users/{id}"), format!("/api/2/users/{id}"));
    let ends = [
        ("DELETE", format!("/api/2/mfa/users/{id}/devices/{}", device().await), ""),
        ("PUT", format!("{one}/logout"), ""),
        (
            "PUT",
            format!("/api/1/users/set_password_clear_text/{id}"),
            r#"{"password":"a-long-new-secret","password_confirmation":"a-long-new-secret"}"#,
        ),
        ("PUT", format!("{one}/lock_user"), r#"{"locked_until":0}"#),
        ("PUT", two.clone(), r#"{"email":"zoe@example.net"}"#),
        ("PUT", two.clone(), r#"{"status":4}"#),
    ];
    for (method, path, body) in ends {
        let told = wire.call(method, &path, body).await;
        assert!([200, 204].contains(&told.status()), "{told}");
        if path.ends_with("lock_user") {
            assert_eq!(wire.post(&format!("{two}/unlock"), "").await.status(), 200);
        }
        if body.contains('@') {
            home["email"] = "zoe@example.net".into();
        }
        wire.server.advance(601);
        let (asked, code) = wire.sent("email", call(&wire, "/api/2/smart-mfa", &home)).await;
        assert_eq!((&asked.json()["risk"]["score"], sent(&asked)), (&json!(100), true), "{method} {path}: {asked}");
        let right = json!({ "state_token": asked.json()["mfa"]["state_token"], "otp_token": code });
        assert_eq!(call(&wire, "/api/2/smart-mfa/verify", &right).await.status(), 200);
        assert!(!sent(&call(&wire, "/api/2/smart-mfa", &home).await), "it is known again");
    }
}

#[tokio::test]
async fn the_alias_of_the_npm_sdk_verifies_too() {
    let wire = Wire::start().await;
    let (asked, code) = wire.sent("email", call(&wire, "/api/2/smart-mfa", &visit("192.0.2.1", "node"))).await;
    let right = json!({ "state_token": asked.json()["mfa"]["state_token"], "otp_token": code });
    assert_eq!(call(&wire, "/api/2/verify", &right).await.json(), json!({}));
}

#[tokio::test]
async fn a_known_user_keeps_the_channel() {
    let wire = Wire::start().await;
    call(&wire, "/api/2/smart-mfa", &visit("192.0.2.1", "Firefox")).await;
    let mut moved = visit("192.0.2.1", "Firefox");
    moved["email"] = "mallory@example.com".into();
    assert_snapshot!(call(&wire, "/api/2/smart-mfa", &moved).await, @r#"
POST /api/2/smart-mfa
{"context":{"ip":"192.0.2.1","session_id":"s","user_agent":"Firefox"},"email":"mallory@example.com","firstname":"Zoe","user_identifier":"zoe"}
→ 422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["email"]}}
"#);
}

#[tokio::test]
async fn a_state_token_of_nothing_or_of_another_door_is_refused() {
    let wire = Wire::start().await;
    let code = json!({ "state_token": "67ff7e91-ec38-467d-b7df-c0f4f61efd73", "otp_token": "123456" });
    assert_snapshot!(call(&wire, "/api/2/smart-mfa/verify", &code).await, @r#"
POST /api/2/smart-mfa/verify
{"otp_token":"123456","state_token":"<uuid>"}
→ 400 Bad Request
{"statusCode":400,"name":"BadRequestError","message":"State token is invalid or expired"}
"#);
    let body = r#"{"factor_id":2,"display_name":"phone","number":"+14155550123","verified":true}"#;
    let device = wire.enrolled(body).await.0;
    let path = &format!("/api/2/mfa/users/{}/verifications", wire.user);
    let (opened, sent) = wire.sent("sms", call(&wire, path, &json!({ "device_id": device.to_string() }))).await;
    let code = json!({ "state_token": opened.json()["id"], "otp_token": sent });
    let refused = call(&wire, "/api/2/smart-mfa/verify", &code).await;
    assert_eq!(refused.json()["message"], "State token is invalid or expired", "{refused}");
}

/// SEC 49: with its user, and with its client where the user is not known any more.
#[tokio::test]
async fn every_refusal_of_a_typed_code_leaves_an_entry() {
    let wire = Wire::start().await;
    let store = wire.server.engine().store();
    let client = wire.server.client(Scope::ManageAll).client_id.clone();
    let client = wire.server.engine().client_named(&client).await.expect("a database").expect("the client exists");
    let user = domain::UserId(wire.user);
    // The reasons in a chain, oldest first.
    let of_client = async || {
        let entries = store.audit(client).await.expect("a database").into_iter();
        entries
            .filter(|entry| entry.kind == "verification.refused")
            .filter_map(|entry| entry.reason)
            .collect::<Vec<_>>()
    };
    let of_user = async || {
        let entries = store.audit(user).await.expect("a database").into_iter();
        entries
            .filter(|entry| entry.kind == "verification.refused")
            .filter_map(|entry| entry.reason)
            .collect::<Vec<_>>()
    };

    // A visit whose challenge has ended, one that was never asked for, a log-in that never began, a user who does not exist.
    let (asked, code) = wire.sent("email", call(&wire, "/api/2/smart-mfa", &visit("192.0.2.1", "Firefox"))).await;
    let right = json!({ "state_token": asked.json()["mfa"]["state_token"], "otp_token": code });
    assert_eq!(call(&wire, "/api/2/smart-mfa/verify", &right).await.status(), 200);
    let unknown = json!({ "state_token": "67ff7e91-ec38-467d-b7df-c0f4f61efd73", "otp_token": "123456" });
    let step = json!({ "state_token": "67ff7e91", "device_id": "1", "otp_token": "123456" });
    let (smart, factor) = ("/api/2/smart-mfa/verify", "/api/1/login/verify_factor");
    for (path, body) in [(smart, &right), (smart, &unknown), (factor, &step)] {
        assert_eq!(call(&wire, path, body).await.status(), 400, "{path}");
    }
    let missing = "/api/1/users/999999/otp_devices/1/verify";
    assert_eq!(call(&wire, missing, &json!({ "otp_token": "123456" })).await.status(), 400);
    let recorded = ["not_open", "not_open", "not_open", "no_user"];
    assert_eq!(of_client().await, recorded);
    call(&wire, factor, &json!({ "state_token": "67ff7e91", "device_id": "1" })).await;
    call(&wire, missing, &json!({})).await;
    assert_eq!(of_client().await, recorded, "a poll is no answer");

    // A challenge of another call, and a device that is not there.
    let body = r#"{"factor_id":2,"display_name":"phone","number":"+14155550123","verified":true}"#;
    let device = wire.enrolled(body).await.0;
    let path = &format!("/api/2/mfa/users/{}/verifications", wire.user);
    let (opened, sent) = wire.sent("sms", call(&wire, path, &json!({ "device_id": device.to_string() }))).await;
    call(&wire, smart, &json!({ "state_token": opened.json()["id"], "otp_token": sent })).await;
    wire.post("1/otp_devices/999/verify", r#"{"otp_token":"123456"}"#).await;
    assert_eq!(of_user().await, ["not_open", "no_device"]);
}

#[tokio::test]
async fn only_a_client_that_manages_all_may_ask() {
    let wire = Wire::start().await;
    let body = visit("192.0.2.1", "Firefox").to_string();
    for scope in [Scope::Authenticate, Scope::ReadUsers, Scope::ManageUsers, Scope::ReadAll] {
        let told = wire.call_as(scope, "POST", "/api/2/smart-mfa", &body).await;
        assert_eq!(told.json()["statusCode"], 403, "{told}");
    }
}

#[tokio::test]
async fn a_visitor_is_never_somebody_elses_address() {
    let wire = Wire::start().await;
    let mut body = visit("192.0.2.1", "Firefox");
    // Another user's address is no new user's name, nor the other way round.
    body["user_identifier"] = "Ben@Example.com".into();
    assert_eq!(call(&wire, "/api/2/smart-mfa", &body).await.status(), 422);
    body["user_identifier"] = "zoe".into();
    body["email"] = "BEN@example.com".into();
    assert_eq!(call(&wire, "/api/2/smart-mfa", &body).await.status(), 422);
    // One user, however the name and the address are spelt.
    body["email"] = "zoe@example.com".into();
    let first = call(&wire, "/api/2/smart-mfa", &body).await.json()["user_id"].clone();
    body["user_identifier"] = " ZOE\u{3000}".into();
    body["email"] = "Zoe@EXAMPLE.com".into();
    let again = call(&wire, "/api/2/smart-mfa", &body).await;
    assert_eq!((again.status(), &again.json()["user_id"]), (200, &first), "{}", again.0);
}
