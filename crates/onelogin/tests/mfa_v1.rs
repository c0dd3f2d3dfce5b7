//! MFA version 1 on the wire: the documented samples and error rows of section 4 of the contract.

mod wire;

use domain::{CompatProfile, Scope};
use insta::assert_snapshot;
use testkit::{Script, Setup};
use wire::{App, Told, Wire, other, transcript};

const NOBODY: &str = "/api/1/users/987654321";

/// A pending SMS device of the wire's user.
async fn sms(wire: &Wire) -> String {
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123"}"#;
    wire.post("1/otp_devices", body).await.text("id")
}

/// An authenticator app that has not been verified yet.
async fn app(wire: &Wire) -> (String, App) {
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
    (enrolled.text("id"), App::reading(&enrolled.single()["factor_data"]))
}

/// A paired phone.
async fn phone(wire: &Wire) -> String {
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &enrolled.0.text).await;
    enrolled.text("id")
}

async fn trigger(wire: &Wire, device: &str, body: &str) -> Told {
    wire.post(&format!("1/otp_devices/{device}/trigger"), body).await
}

async fn verify(wire: &Wire, device: &str, body: &str) -> Told {
    wire.post(&format!("1/otp_devices/{device}/verify"), body).await
}

/// Triggers; gives the state token and the code that was sent.
async fn challenged(wire: &Wire, device: &str, channel: &str) -> (String, String) {
    let (told, code) = wire.sent(channel, trigger(wire, device, "")).await;
    (told.text("state_token"), code)
}

fn with_code(state_token: &str, code: &str) -> String {
    format!(r#"{{"state_token":"{state_token}","otp_token":"{code}"}}"#)
}

fn with_state(state_token: &str) -> String {
    format!(r#"{{"state_token":"{state_token}"}}"#)
}

fn code_alone(code: &str) -> String {
    format!(r#"{{"otp_token":"{code}"}}"#)
}

// 4.1

#[tokio::test]
async fn factors_are_listed_in_an_object() {
    let wire = Wire::start().await;
    assert_snapshot!(wire.get("1/auth_factors").await, @r#"
GET /api/1/users/2/auth_factors
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":{"auth_factors":[{"name":"OneLogin Protect","factor_id":1},{"name":"OneLogin SMS","factor_id":2},{"name":"OneLogin Voice","factor_id":3},{"name":"OneLogin Email","factor_id":4},{"name":"Google Authenticator","factor_id":5},{"name":"HOTP Token","factor_id":6}]}}
"#);
    assert_eq!(wire.get("1/auth_factor").await.answer(), wire.get("1/auth_factors/").await.answer());
}

#[tokio::test]
async fn an_enrolled_factor_is_no_longer_listed_but_an_app_is() {
    let wire = Wire::start().await;
    wire.sms().await;
    wire.totp().await;
    assert_snapshot!(wire.get("1/auth_factors").await, @r#"
GET /api/1/users/2/auth_factors
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":{"auth_factors":[{"name":"OneLogin Protect","factor_id":1},{"name":"OneLogin Voice","factor_id":3},{"name":"OneLogin Email","factor_id":4},{"name":"Google Authenticator","factor_id":5},{"name":"HOTP Token","factor_id":6}]}}
"#);
}

#[tokio::test]
async fn only_factors_say_which_user_is_not_found() {
    let wire = Wire::start().await;
    let call =
        async |method: &str, path: &str| wire.call(method, &format!("{NOBODY}/{path}"), r#"{"factor_id":5}"#).await;
    assert_snapshot!(transcript([
        call("GET", "auth_factors").await,
        call("GET", "otp_devices").await,
        call("POST", "otp_devices").await,
        call("POST", "otp_devices/1/trigger").await,
        call("POST", "otp_devices/1/verify").await,
        call("DELETE", "otp_devices/1").await,
        call("POST", "mfa_token").await,
    ]), @r#"
GET /api/1/users/987654321/auth_factors
{"factor_id":5}
→ 404 Not Found
{"status":{"error":true,"code":404,"type":"not found","message":"User for id 987654321 was not found"}}

GET /api/1/users/987654321/otp_devices
{"factor_id":5}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"User does not exist"}}

POST /api/1/users/987654321/otp_devices
{"factor_id":5}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"User does not exist"}}

POST /api/1/users/987654321/otp_devices/1/trigger
{"factor_id":5}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"User does not exist"}}

POST /api/1/users/987654321/otp_devices/1/verify
{"factor_id":5}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"User does not exist"}}

DELETE /api/1/users/987654321/otp_devices/1
{"factor_id":5}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"User does not exist"}}

POST /api/1/users/987654321/mfa_token
{"factor_id":5}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"User does not exist"}}
"#);
}

#[tokio::test]
async fn an_id_that_is_no_integer_is_incorrect() {
    let wire = Wire::start().await;
    let told = wire.get("/api/1/users/ana/auth_factors").await;
    assert_snapshot!(told, @r#"
GET /api/1/users/ana/auth_factors
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"id","description":"ID is incorrect"}}}
"#);
    for (method, path) in [
        ("GET", "otp_devices"),
        ("POST", "otp_devices"),
        ("POST", "otp_devices/1/trigger"),
        ("POST", "otp_devices/1/verify"),
        ("DELETE", "otp_devices/1"),
        ("POST", "mfa_token"),
    ] {
        assert_eq!(wire.call(method, &format!("/api/1/users/ana/{path}"), "").await.answer(), told.answer(), "{path}");
    }
}

// 1.7

#[tokio::test]
async fn nobody_gets_in_without_a_token_of_the_right_scope() {
    let wire = Wire::start().await;
    let path = format!("/api/1/users/{}/otp_devices", wire.user);
    assert_snapshot!(transcript([
        wire.send(Script::get(&path)).await,
        wire.send(Script::get(&path).header("authorization", "bearer: nonsense")).await,
        wire.call_as(Scope::AuthenticationOnly, "GET", "1/otp_devices", "").await,
        wire.call_as(Scope::ReadAll, "POST", "1/otp_devices", "{}").await,
        wire.call_as(Scope::ReadUsers, "DELETE", "1/otp_devices/1", "").await,
        wire.call_as(Scope::ReadUsers, "POST", "1/mfa_token", "{}").await,
    ]), @r#"
GET /api/1/users/2/otp_devices
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Authorization Information is incorrect"}}

GET /api/1/users/2/otp_devices
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}

GET /api/1/users/2/otp_devices
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Insufficient Permission"}}

POST /api/1/users/2/otp_devices
{}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Insufficient Permission"}}

DELETE /api/1/users/2/otp_devices/1
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Insufficient Permission"}}

POST /api/1/users/2/mfa_token
{}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Insufficient Permission"}}
"#);
}

#[tokio::test]
async fn every_answer_tells_the_quota() {
    let wire = Wire::start().await;
    for told in [wire.get("1/otp_devices").await, wire.get("/api/1/users/ana/otp_devices").await] {
        assert_eq!(told.0.header("x-ratelimit-limit"), Some("5000"));
        assert!(told.0.header("x-ratelimit-remaining").is_some_and(|left| left.parse::<u32>().is_ok()));
        assert_eq!(told.0.header("x-ratelimit-reset"), Some("1800"));
    }
}

// 4.2

/// Contract 14.8: `id` is the device here, and stands there twice.
#[tokio::test]
async fn a_phone_is_enrolled_pending() {
    let wire = Wire::start().await;
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123"}"#;
    assert_snapshot!(wire.post("1/otp_devices", body).await, @r#"
POST /api/1/users/2/otp_devices
{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":false,"default":true,"state_token":"<40 hex>","auth_factor_name":"OneLogin SMS","phone_number":"+14155550123","type_display_name":"OneLogin SMS","needs_trigger":true,"user_display_name":"Ben's phone","id":1,"device_id":1}]}
"#);
    assert_eq!(wire.newest_message().await, 0, "nothing is sent before the trigger");
}

#[tokio::test]
async fn the_users_own_number_and_address_serve_when_none_is_given() {
    let wire = Wire::start().await;
    assert_snapshot!(transcript([
        wire.post("1/otp_devices", r#"{"factor_id":3,"display_name":"Ben's landline"}"#).await,
        wire.post("1/otp_devices", r#"{"factor_id":"4","number":""}"#).await,
    ]), @r#"
POST /api/1/users/2/otp_devices
{"factor_id":3,"display_name":"Ben's landline"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":false,"default":true,"state_token":"<40 hex>","auth_factor_name":"OneLogin Voice","phone_number":"+14155550102","type_display_name":"OneLogin Voice","needs_trigger":true,"user_display_name":"Ben's landline","id":1,"device_id":1}]}

POST /api/1/users/2/otp_devices
{"factor_id":"4","number":""}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":false,"default":false,"state_token":"<40 hex>","auth_factor_name":"OneLogin Email","type_display_name":"OneLogin Email","needs_trigger":true,"user_display_name":"OneLogin Email","id":2,"device_id":2}]}
"#);
}

#[tokio::test]
async fn what_an_app_or_a_phone_needs_is_told_once() {
    let wire = Wire::start().await;
    assert_snapshot!(transcript([
        wire.post("1/otp_devices", r#"{"factor_id":5,"display_name":"Ben's app","number":"+14155550123"}"#).await,
        wire.post("1/otp_devices", r#"{"factor_id":6,"display_name":"Ben's key"}"#).await,
    ]), @r#"
POST /api/1/users/2/otp_devices
{"factor_id":5,"display_name":"Ben's app","number":"+14155550123"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":false,"default":true,"state_token":"<40 hex>","auth_factor_name":"Google Authenticator","type_display_name":"Google Authenticator","needs_trigger":false,"user_display_name":"Ben's app","id":1,"device_id":1,"factor_data":{"verification_token":"<base32>","totp_url":"otpauth://totp/acme:ben%40example.com?secret=<base32>&issuer=acme"}}]}

POST /api/1/users/2/otp_devices
{"factor_id":6,"display_name":"Ben's key"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":false,"default":false,"state_token":"<40 hex>","auth_factor_name":"HOTP","type_display_name":"HOTP Token","needs_trigger":false,"user_display_name":"Ben's key","id":2,"device_id":2,"factor_data":{"verification_token":"<base32>","totp_url":"otpauth://hotp/acme:ben%40example.com?secret=<base32>&issuer=acme&counter=0"}}]}
"#);
    let push = wire.post("1/otp_devices", r#"{"factor_id":1}"#).await;
    let pairing_code = push.single()["factor_data"]["verification_token"].as_str().unwrap().to_owned();
    assert_snapshot!(push.to_string().replace(&pairing_code, "<pairing code>"), @r#"
POST /api/1/users/2/otp_devices
{"factor_id":1}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":false,"default":false,"state_token":"<40 hex>","auth_factor_name":"OneLogin Protect","type_display_name":"OneLogin Protect","needs_trigger":true,"user_display_name":"OneLogin Protect","id":3,"device_id":3,"factor_data":{"verification_token":"<pairing code>","totp_url":"otpauth://totp/acme:ben%40example.com?secret=<pairing code>&issuer=acme"}}]}
"#);
}

#[tokio::test]
async fn a_trusted_number_is_active_at_once() {
    let wire = Wire::start().await;
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":"true"}"#;
    assert_snapshot!(wire.post("1/otp_devices", body).await, @r#"
POST /api/1/users/2/otp_devices
{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":"true"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":true,"default":true,"state_token":"<40 hex>","auth_factor_name":"OneLogin SMS","phone_number":"+14155550123","type_display_name":"OneLogin SMS","needs_trigger":true,"user_display_name":"Ben's phone","id":1,"device_id":1}]}
"#);
}

#[tokio::test]
async fn an_enrolment_can_be_refused_in_many_ways() {
    let wire = Wire::start().await;
    let enrol = async |body: &str| wire.post("1/otp_devices", body).await;
    assert_snapshot!(transcript([
        enrol("").await,
        enrol(r#"{"factor_id":99,"display_name":"x"}"#).await,
        enrol(r#"{"factor_id":[2],"display_name":"x"}"#).await,
        enrol(r#"{"factor_id":2,"display_name":["x"]}"#).await,
        enrol(r#"{"factor_id":2,"display_name":"x","number":"4155550123"}"#).await,
        enrol(r#"{"factor_id":2,"display_name":"x","number":"+19005550123"}"#).await,
        enrol(r#"{"factor_id":4,"display_name":"x","email":"nowhere"}"#).await,
        enrol(r#"{"factor_id":5,"display_name":"x","verified":true}"#).await,
        enrol(r#"{"factor_id":2,"#).await,
    ]), @r#"
POST /api/1/users/2/otp_devices
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

POST /api/1/users/2/otp_devices
{"factor_id":99,"display_name":"x"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

POST /api/1/users/2/otp_devices
{"factor_id":[2],"display_name":"x"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"factor_id","description":"factor_id is incorrect"}}}

POST /api/1/users/2/otp_devices
{"factor_id":2,"display_name":["x"]}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"display_name","description":"display_name is incorrect"}}}

POST /api/1/users/2/otp_devices
{"factor_id":2,"display_name":"x","number":"4155550123"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"number is invalid"}}

POST /api/1/users/2/otp_devices
{"factor_id":2,"display_name":"x","number":"+19005550123"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"number is invalid"}}

POST /api/1/users/2/otp_devices
{"factor_id":4,"display_name":"x","email":"nowhere"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"email","description":"email is invalid"}}}

POST /api/1/users/2/otp_devices
{"factor_id":5,"display_name":"x","verified":true}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"verified is not allowed for this factor"}}

POST /api/1/users/2/otp_devices
{"factor_id":2,
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}
"#);
}

#[tokio::test]
async fn a_second_active_phone_is_refused_and_a_pending_one_replaced() {
    let wire = Wire::start().await;
    let first = sms(&wire).await;
    let second = sms(&wire).await;
    assert_ne!(first, second);
    assert_eq!(wire.get("1/otp_devices").await.single()["id"].to_string(), second);
    let (state_token, code) = challenged(&wire, &second, "sms").await;
    assert_eq!(verify(&wire, &second, &with_code(&state_token, &code)).await.status(), 200);
    assert_snapshot!(wire.post("1/otp_devices", r#"{"factor_id":2,"display_name":"Another"}"#).await, @r#"
POST /api/1/users/2/otp_devices
{"factor_id":2,"display_name":"Another"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}
"#);
}

// 4.3

#[tokio::test]
async fn devices_are_listed_in_an_object_with_masked_numbers() {
    let wire = Wire::start().await;
    assert_snapshot!(wire.get("1/otp_devices").await, @r#"
GET /api/1/users/2/otp_devices
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":{"otp_devices":[]}}
"#);
    wire.sms().await;
    phone(&wire).await;
    app(&wire).await;
    assert_snapshot!(wire.get("1/otp_devices").await, @r#"
GET /api/1/users/2/otp_devices
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":{"otp_devices":[{"type_display_name":"OneLogin SMS","active":true,"user_display_name":"Ben's phone","default":true,"phone_number":"+1xxxxxx0102","auth_factor_name":"OneLogin SMS","id":1,"needs_trigger":true},{"type_display_name":"OneLogin Protect","active":true,"user_display_name":"Ben's push","default":false,"auth_factor_name":"OneLogin Protect","id":2,"needs_trigger":true},{"type_display_name":"Google Authenticator","active":false,"user_display_name":"Ben's app","default":false,"auth_factor_name":"Google Authenticator","id":3,"needs_trigger":false}]}}
"#);
}

// 4.4

/// Contract 14.7: `id` is the user here, the device stands beside it.
#[tokio::test]
async fn a_trigger_sends_a_text_with_letters() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let (told, code) = wire.sent("sms", trigger(&wire, &device, "")).await;
    assert_snapshot!(told, @r#"
POST /api/1/users/2/otp_devices/1/trigger
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"SMS token sent to your mobile device. Authentication pending."},"data":[{"user_display_name":"Ben's phone","active":false,"default":true,"state_token":"<40 hex>","state_token_expires_at":"2026-03-01T09:32:00Z","auth_factor_name":"OneLogin SMS","type_display_name":"OneLogin SMS","id":2,"device_id":1}]}
"#);
    assert_eq!(code.len(), 6);
    assert!(code.bytes().all(|byte| b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ".contains(&byte)), "{code}");
}

#[tokio::test]
async fn a_trigger_takes_digits_words_and_a_life() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let after = wire.newest_message().await;
    let body = r#"{"numeric_sms_otp":true,"state_token_expires_in":"300","sms_message":"{{otp_code}} for {{expiration}} min","ipaddr":"203.0.113.7"}"#;
    assert_snapshot!(trigger(&wire, &device, body).await, @r#"
POST /api/1/users/2/otp_devices/1/trigger
{"numeric_sms_otp":true,"state_token_expires_in":"300","sms_message":"{{otp_code}} for {{expiration}} min","ipaddr":"203.0.113.7"}
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"SMS token sent to your mobile device. Authentication pending."},"data":[{"user_display_name":"Ben's phone","active":false,"default":true,"state_token":"<40 hex>","state_token_expires_at":"2026-03-01T09:35:00Z","auth_factor_name":"OneLogin SMS","type_display_name":"OneLogin SMS","id":2,"device_id":1}]}
"#);
    let message = wire.message("sms", after).await;
    let code = message["code"].as_str().unwrap();
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    assert_eq!(message["body"], format!("{code} for 5 min"));
    assert_eq!(message["to"], "+14155550123");
}

#[tokio::test]
async fn a_life_out_of_range_is_moved_into_it() {
    let wire = Wire::start().await;
    let (device, _) = app(&wire).await;
    let ends = async |body: &str| trigger(&wire, &device, body).await.text("state_token_expires_at");
    assert_eq!(ends("").await, "2026-03-01T09:32:00Z");
    assert_eq!(ends(r#"{"expires_in":60}"#).await, "2026-03-01T09:31:00Z");
    assert_eq!(ends(r#"{"state_token_expires_in":0}"#).await, "2026-03-01T09:30:01Z");
    assert_eq!(ends(r#"{"state_token_expires_in":86400}"#).await, "2026-03-01T09:45:00Z");
}

#[tokio::test]
async fn each_factor_has_its_message() {
    let wire = Wire::start().await;
    let voice = wire.post("1/otp_devices", r#"{"factor_id":3}"#).await.text("id");
    let email = wire.post("1/otp_devices", r#"{"factor_id":4}"#).await.text("id");
    let push = phone(&wire).await;
    let (totp, _) = app(&wire).await;
    assert_snapshot!(transcript([
        trigger(&wire, &voice, "").await,
        trigger(&wire, &email, "").await,
        trigger(&wire, &push, "").await,
        trigger(&wire, &totp, "").await,
    ]), @r#"
POST /api/1/users/2/otp_devices/1/trigger
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Authentication pending"},"data":[{"user_display_name":"OneLogin Voice","active":false,"default":false,"state_token":"<40 hex>","state_token_expires_at":"2026-03-01T09:32:00Z","auth_factor_name":"OneLogin Voice","type_display_name":"OneLogin Voice","id":2,"device_id":1}]}

POST /api/1/users/2/otp_devices/2/trigger
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Authentication pending"},"data":[{"user_display_name":"OneLogin Email","active":false,"default":false,"state_token":"<40 hex>","state_token_expires_at":"2026-03-01T09:32:00Z","auth_factor_name":"OneLogin Email","type_display_name":"OneLogin Email","id":2,"device_id":2}]}

POST /api/1/users/2/otp_devices/3/trigger
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Authentication pending on OL Protect"},"data":[{"user_display_name":"Ben's push","active":true,"default":true,"state_token":"<40 hex>","state_token_expires_at":"2026-03-01T09:32:00Z","auth_factor_name":"OneLogin Protect","type_display_name":"OneLogin Protect","id":2,"device_id":3}]}

POST /api/1/users/2/otp_devices/4/trigger
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Authentication pending"},"data":[{"user_display_name":"Ben's app","active":false,"default":false,"state_token":"<40 hex>","state_token_expires_at":"2026-03-01T09:32:00Z","auth_factor_name":"Google Authenticator","type_display_name":"Google Authenticator","id":2,"device_id":4}]}
"#);
}

#[tokio::test]
async fn a_trigger_can_be_refused() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    assert_snapshot!(transcript([
        trigger(&wire, "4711", "").await,
        trigger(&wire, "0", "").await,
        trigger(&wire, "abc", "").await,
        trigger(&wire, &device, r#"{"sms_message":"no code in here"}"#).await,
        trigger(&wire, &device, r#"{"sms_message":"{{otp_code}}\nsecond line"}"#).await,
        trigger(&wire, &device, r#"{"state_token_expires_in":"soon"}"#).await,
        trigger(&wire, &device, r#"{"numeric_sms_otp":{}}"#).await,
        trigger(&wire, &device, "[]").await,
    ]), @r#"
POST /api/1/users/2/otp_devices/4711/trigger
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

POST /api/1/users/2/otp_devices/0/trigger
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

POST /api/1/users/2/otp_devices/abc/trigger
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

POST /api/1/users/2/otp_devices/1/trigger
{"sms_message":"no code in here"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"sms_message","description":"must contain {{otp_code}}"}}}

POST /api/1/users/2/otp_devices/1/trigger
{"sms_message":"{{otp_code}}\nsecond line"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"sms_message","description":"sms_message is incorrect"}}}

POST /api/1/users/2/otp_devices/1/trigger
{"state_token_expires_in":"soon"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"state_token_expires_in","description":"state_token_expires_in is incorrect"}}}

POST /api/1/users/2/otp_devices/1/trigger
{"numeric_sms_otp":{}}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"numeric_sms_otp","description":"numeric_sms_otp is incorrect"}}}

POST /api/1/users/2/otp_devices/1/trigger
[]
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}
"#);
    assert_eq!(wire.newest_message().await, 0, "nothing was sent");
}

#[tokio::test]
async fn a_second_message_has_to_wait_and_the_first_code_stays_good() {
    let wire = Wire::start_with(Setup { message_limits: true, ..Setup::default() }).await;
    let device = sms(&wire).await;
    let (state_token, code) = challenged(&wire, &device, "sms").await;
    wire.server.advance(10);
    assert_snapshot!(trigger(&wire, &device, "").await, @r#"
POST /api/1/users/2/otp_devices/1/trigger
→ 429 Too Many Requests
retry-after: 20
{"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
"#);
    assert_eq!(verify(&wire, &device, &with_code(&state_token, &code)).await.status(), 200);
}

#[tokio::test]
async fn a_new_code_kills_the_older_one() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let (old_token, old) = challenged(&wire, &device, "sms").await;
    let (new_token, new) = challenged(&wire, &device, "sms").await;
    assert_snapshot!(verify(&wire, &device, &with_code(&old_token, &old)).await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"State token is invalid or expired"}}
"#);
    assert_snapshot!(verify(&wire, &device, &with_code(&new_token, &old)).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    assert_eq!(verify(&wire, &device, &with_code(&new_token, &new)).await.status(), 200);
}

#[tokio::test]
async fn reading_scopes_may_trigger_and_verify_unless_forbidden() {
    let lenient = Wire::start().await;
    let strict = onelogin::Options { strict_v1_scopes: true, ..onelogin::Options::default() };
    let strict = Wire::start_with(Setup { options: strict, ..Setup::default() }).await;
    for (wire, status) in [(lenient, 200), (strict, 401)] {
        let device = sms(&wire).await;
        let path = format!("1/otp_devices/{device}/trigger");
        assert_eq!(wire.call_as(Scope::ReadUsers, "POST", &path, "").await.status(), status);
        assert_eq!(wire.call_as(Scope::AuthenticationOnly, "POST", &path, "").await.status(), 401);
    }
}

// 4.5

#[tokio::test]
async fn the_right_code_is_a_success_that_is_told_twice() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let (state_token, code) = challenged(&wire, &device, "sms").await;
    let body = with_code(&state_token, &code.to_ascii_lowercase());
    assert_snapshot!(verify(&wire, &device, &body).await.answer(), @r#"
200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success"}
"#);
    assert_eq!(wire.get("1/otp_devices").await.single()["active"], true);
    assert_snapshot!(verify(&wire, &device, &body).await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"State token is invalid or expired"}}
"#);
}

#[tokio::test]
async fn an_app_needs_no_state_token_and_its_codes_count_once() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    let code = app.code(wire.server.now());
    assert_snapshot!(verify(&wire, &device, &code_alone(&app.wrong(wire.server.now()))).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    assert_eq!(verify(&wire, &device, &code_alone(&code)).await.status(), 200);
    assert_snapshot!(verify(&wire, &device, &code_alone(&code)).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    assert_snapshot!(verify(&wire, &device, "").await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"error","message":"otp_token is empty"}}
"#);
}

#[tokio::test]
async fn an_app_answers_with_its_state_token_too() {
    let wire = Wire::start().await;
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
    let (device, app) = (enrolled.text("id"), App::reading(&enrolled.single()["factor_data"]));
    let code = app.code(wire.server.now());
    assert_eq!(verify(&wire, &device, &with_code(&enrolled.text("state_token"), &code)).await.status(), 200);
    wire.server.advance(60);
    let state_token = trigger(&wire, &device, "").await.text("state_token");
    let code = app.code(wire.server.now());
    assert_eq!(verify(&wire, &device, &with_code(&other(&state_token), &code)).await.status(), 400);
    assert_eq!(verify(&wire, &device, &with_code(&state_token, &code)).await.status(), 200);
}

#[tokio::test]
async fn a_number_gets_its_zeros_back_and_a_text_does_not() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    while !app.code(wire.server.now()).starts_with('0') {
        wire.server.advance(30);
    }
    let number = app.code(wire.server.now()).trim_start_matches('0').to_owned();
    assert_eq!(verify(&wire, &device, &code_alone(&number)).await.status(), 401);
    assert_eq!(verify(&wire, &device, &format!(r#"{{"otp_code":{number}}}"#)).await.status(), 200);
}

#[tokio::test]
async fn a_code_of_another_type_is_refused_and_not_counted() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    assert_snapshot!(verify(&wire, &device, r#"{"otp_token":["123456"]}"#).await, @r#"
POST /api/1/users/2/otp_devices/1/verify
{"otp_token":["123456"]}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"otp_token","description":"otp_token is incorrect"}}}
"#);
    for _ in 0..5 {
        assert_eq!(verify(&wire, &device, r#"{"otp_token":true}"#).await.status(), 400);
    }
    assert_eq!(verify(&wire, &device, &code_alone(&app.code(wire.server.now()))).await.status(), 200);
}

#[tokio::test]
async fn before_a_trigger_no_code_is_right() {
    let wire = Wire::start().await;
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123"}"#;
    let enrolled = wire.post("1/otp_devices", body).await;
    let (device, state_token) = (enrolled.text("id"), enrolled.text("state_token"));
    assert_snapshot!(verify(&wire, &device, &with_code(&state_token, "ABCDEF")).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    let (_, code) = challenged(&wire, &device, "sms").await;
    assert_snapshot!(verify(&wire, &device, &with_code(&state_token, &code)).await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"State token is invalid or expired"}}
"#);
}

#[tokio::test]
async fn a_triggered_device_wants_state_token_and_code() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let (state_token, code) = challenged(&wire, &device, "sms").await;
    assert_snapshot!(transcript([
        verify(&wire, &device, &code_alone("ABCDEF")).await,
        verify(&wire, &device, r#"{"token-itself":"token-itself"}"#).await,
        verify(&wire, &device, &with_state(&state_token)).await,
        verify(&wire, &device, &with_code("nonsense", "ABCDEF")).await,
        verify(&wire, &device, &with_code(&state_token, "ABCDEF")).await,
        verify(&wire, "4711", &code_alone("ABCDEF")).await,
        verify(&wire, "abc", &code_alone("ABCDEF")).await,
    ]), @r#"
POST /api/1/users/2/otp_devices/1/verify
{"otp_token":"ABCDEF"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"error","message":"state_token is empty"}}

POST /api/1/users/2/otp_devices/1/verify
{"token-itself":"token-itself"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"error","message":"state_token is empty"}}

POST /api/1/users/2/otp_devices/1/verify
{"state_token":"<40 hex>"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"error","message":"otp_token is empty"}}

POST /api/1/users/2/otp_devices/1/verify
{"state_token":"nonsense","otp_token":"ABCDEF"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"State token is invalid or expired"}}

POST /api/1/users/2/otp_devices/1/verify
{"state_token":"<40 hex>","otp_token":"ABCDEF"}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}

POST /api/1/users/2/otp_devices/4711/verify
{"otp_token":"ABCDEF"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

POST /api/1/users/2/otp_devices/abc/verify
{"otp_token":"ABCDEF"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}
"#);
    assert_eq!(verify(&wire, &device, &with_code(&state_token, &code)).await.status(), 200);
}

#[tokio::test]
async fn a_state_token_ends_with_its_time_and_belongs_to_its_device() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let email = wire.post("1/otp_devices", r#"{"factor_id":4}"#).await.text("id");
    let (state_token, code) = challenged(&wire, &device, "sms").await;
    let elsewhere = verify(&wire, &email, &with_code(&state_token, &code)).await;
    assert_eq!(elsewhere.status(), 400);
    wire.server.advance(120);
    assert_eq!(verify(&wire, &device, &with_code(&state_token, &code)).await.answer(), elsewhere.answer());
}

/// Contract 14.9: what is pending is a 401 here.
#[tokio::test]
async fn a_push_is_polled_until_it_is_accepted_once() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let state = with_state(&trigger(&wire, &device, "").await.text("state_token"));
    assert_snapshot!(verify(&wire, &device, &state).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication pending on OL Protect"}}
"#);
    for _ in 0..30 {
        assert_eq!(verify(&wire, &device, &state).await.status(), 401);
    }
    assert_snapshot!(verify(&wire, &device, "").await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"error","message":"state_token is empty"}}
"#);
    wire.dev("/dev/phone/accept", "").await;
    assert_eq!(verify(&wire, &device, &state).await.status(), 200);
    assert_snapshot!(verify(&wire, &device, &state).await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"State token is invalid or expired"}}
"#);
}

#[tokio::test]
async fn a_denied_push_has_failed() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let state = with_state(&trigger(&wire, &device, "").await.text("state_token"));
    wire.dev("/dev/phone/deny", "").await;
    assert_snapshot!(verify(&wire, &device, &state).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
}

#[tokio::test]
async fn a_code_does_not_answer_a_push() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let state_token = trigger(&wire, &device, "").await.text("state_token");
    assert_snapshot!(verify(&wire, &device, &with_code(&state_token, "123456")).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    wire.dev("/dev/phone/accept", "").await;
    assert_eq!(verify(&wire, &device, &with_state(&state_token)).await.status(), 200);
}

#[tokio::test]
async fn a_push_that_waits_is_not_sent_again() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let first = with_state(&trigger(&wire, &device, "").await.text("state_token"));
    let sent = wire.message("push", 0).await["id"].clone();
    let second = with_state(&trigger(&wire, &device, "").await.text("state_token"));
    assert_eq!(verify(&wire, &device, &first).await.status(), 400);
    assert_eq!(verify(&wire, &device, &second).await.status(), 401);
    wire.dev("/dev/phone/accept", "").await;
    assert_eq!(wire.newest_message().await, sent.as_i64().unwrap());
    assert_eq!(verify(&wire, &device, &second).await.status(), 200);
}

#[tokio::test]
async fn a_wrong_code_sent_twice_counts_once() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    let wrong = app.wrong(wire.server.now());
    for _ in 0..8 {
        assert_eq!(verify(&wire, &device, &code_alone(&wrong)).await.status(), 401);
    }
    assert_eq!(verify(&wire, &device, &code_alone(&app.code(wire.server.now()))).await.status(), 200);
}

#[tokio::test]
async fn during_a_lock_the_right_code_gets_the_words_of_a_wrong_one() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    for guess in 0..5 {
        wire.server.advance(11);
        let wrong = format!("{guess}{}", &app.wrong(wire.server.now())[1..]);
        let told = verify(&wire, &device, &code_alone(&wrong)).await;
        assert_eq!((told.status(), told.0.header("retry-after")), (401, None), "{told}");
    }
    wire.server.advance(12);
    let right = code_alone(&app.code(wire.server.now()));
    assert_snapshot!(verify(&wire, &device, &right).await.answer(), @r#"
401 Unauthorized
retry-after: 48
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    assert_snapshot!(trigger(&wire, &device, "").await.answer(), @r#"
429 Too Many Requests
retry-after: 48
{"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
"#);
    wire.server.advance(48);
    assert_eq!(verify(&wire, &device, &code_alone(&app.code(wire.server.now()))).await.status(), 200);
}

#[tokio::test]
async fn five_wrong_codes_kill_a_state_token() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let (state_token, code) = challenged(&wire, &device, "sms").await;
    for wrong in ["AAAAA2", "AAAAA3", "AAAAA4", "AAAAA5", "AAAAA6"] {
        assert_eq!(verify(&wire, &device, &with_code(&state_token, wrong)).await.status(), 401);
    }
    wire.server.advance(61);
    assert_snapshot!(verify(&wire, &device, &with_code(&state_token, &code)).await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"State token is invalid or expired"}}
"#);
}

// 4.6

/// Contract 14.12: a removal answers a status, where the documentation shows `{}`.
#[tokio::test]
async fn a_device_is_removed_once() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    let (state_token, code) = challenged(&wire, &device, "sms").await;
    let path = format!("1/otp_devices/{device}");
    assert_snapshot!(transcript([
        wire.delete(&path).await,
        wire.delete(&path).await,
        wire.delete("1/otp_devices/abc").await,
        wire.get("1/otp_devices").await,
    ]), @r#"
DELETE /api/1/users/2/otp_devices/1
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success"}

DELETE /api/1/users/2/otp_devices/1
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

DELETE /api/1/users/2/otp_devices/abc
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}

GET /api/1/users/2/otp_devices
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":{"otp_devices":[]}}
"#);
    assert_eq!(verify(&wire, &device, &with_code(&state_token, &code)).await.status(), 400);
}

#[tokio::test]
async fn a_device_of_somebody_else_is_not_found() {
    let mut wire = Wire::start().await;
    let device = sms(&wire).await;
    wire.user = wire.server.user(0).id;
    assert_eq!(trigger(&wire, &device, "").await.status(), 400);
    assert_eq!(verify(&wire, &device, &code_alone("123456")).await.status(), 400);
    assert_snapshot!(wire.delete(&format!("1/otp_devices/{device}")).await, @r#"
DELETE /api/1/users/1/otp_devices/1
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Factor could not be found"}}
"#);
}

// 4.7

#[tokio::test]
async fn a_temporary_token_comes_without_an_envelope() {
    let wire = Wire::start().await;
    let told = wire.post("1/mfa_token", r#"{"expires_in":"300","reusable":"true"}"#).await;
    let token = told.text("mfa_token");
    assert_snapshot!(told.to_string().replace(&token, "<8 digits>"), @r#"
POST /api/1/users/2/mfa_token
{"expires_in":"300","reusable":"true"}
→ 201 Created
{"mfa_token":"<8 digits>","expires_at":"2026-03-01T09:35:00Z","reusable":true,"device_id":"user_temp_otp_2","resuable":true}
"#);
    assert!(token.len() == 8 && token.bytes().all(|byte| byte.is_ascii_digit()), "{token}");
    for _ in 0..2 {
        assert_eq!(verify(&wire, "0", &code_alone(&token)).await.status(), 200);
    }
    wire.server.advance(300);
    assert_snapshot!(verify(&wire, "0", &code_alone(&token)).await.answer(), @r#"
401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
}

#[tokio::test]
async fn a_temporary_token_lives_three_days_and_works_once_by_default() {
    let wire = Wire::start().await;
    let told = wire.post("1/mfa_token", "").await;
    assert_eq!(told.single()["reusable"], false);
    assert_eq!(told.text("expires_at"), "2026-03-04T09:30:00Z");
    let token = told.text("mfa_token");
    assert_snapshot!(verify(&wire, "0", "").await.answer(), @r#"
400 Bad Request
{"status":{"error":true,"code":400,"type":"error","message":"otp_token is empty"}}
"#);
    assert_eq!(verify(&wire, "0", &code_alone(&other(&token))).await.status(), 401);
    assert_eq!(verify(&wire, "0", &format!(r#"{{"otp_token":{token}}}"#)).await.status(), 200);
    assert_eq!(verify(&wire, "0", &code_alone(&token)).await.status(), 401);
}

#[tokio::test]
async fn a_temporary_token_has_bounds() {
    let wire = Wire::start().await;
    assert_snapshot!(transcript([
        wire.post("1/mfa_token", r#"{"expires_in":119}"#).await,
        wire.post("1/mfa_token", r#"{"expires_in":259201}"#).await,
        wire.post("1/mfa_token", r#"{"expires_in":[300]}"#).await,
        wire.post("1/mfa_token", r#"{"reusable":"perhaps"}"#).await,
    ]), @r#"
POST /api/1/users/2/mfa_token
{"expires_in":119}
→ 422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["expires_in"]}}

POST /api/1/users/2/mfa_token
{"expires_in":259201}
→ 422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["expires_in"]}}

POST /api/1/users/2/mfa_token
{"expires_in":[300]}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"expires_in","description":"expires_in is incorrect"}}}

POST /api/1/users/2/mfa_token
{"reusable":"perhaps"}
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"reusable","description":"reusable is incorrect"}}}
"#);
}

// The user as a whole.

#[tokio::test]
async fn a_locked_user_can_do_nothing_and_is_told_so_only_where_nothing_is_proved() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    let lock = format!("/api/1/users/{}/lock_user", wire.user);
    assert_eq!(wire.put(&lock, r#"{"locked_until":15}"#).await.status(), 200);
    assert_snapshot!(transcript([
        wire.post("1/otp_devices", r#"{"factor_id":2}"#).await,
        trigger(&wire, &device, "").await,
    ]), @r#"
POST /api/1/users/2/otp_devices
{"factor_id":2}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"User is locked. Access is unauthorized"}}

POST /api/1/users/2/otp_devices/1/trigger
→ 429 Too Many Requests
retry-after: 900
{"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
"#);
    assert_snapshot!(verify(&wire, &device, &code_alone(&app.code(wire.server.now()))).await.answer(), @r#"
401 Unauthorized
retry-after: 900
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
}

// Profiles (contract 15).

/// Contract 14.5, contract 14.6: what one SDK wants, for its profile alone.
#[tokio::test]
async fn python_sdk_4_reads_an_object_from_a_trigger_and_200_from_a_token() {
    let wire = Wire::start().await.speaking(CompatProfile::Python4);
    let device = sms(&wire).await;
    assert_snapshot!(trigger(&wire, &device, "").await, @r#"
POST /api/1/users/2/otp_devices/1/trigger
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"SMS token sent to your mobile device. Authentication pending."},"data":{"otp_devices":[{"needs_trigger":true,"user_display_name":"Ben's phone","active":false,"default":true,"state_token":"<40 hex>","state_token_expires_at":"2026-03-01T09:32:00Z","auth_factor_name":"OneLogin SMS","type_display_name":"OneLogin SMS","id":1,"device_id":1}]}}
"#);
    let told = wire.post("1/mfa_token", r#"{"expires_in":300,"reusable":false}"#).await;
    assert_snapshot!(told.to_string().replace(&told.text("mfa_token"), "<8 digits>"), @r#"
POST /api/1/users/2/mfa_token
{"expires_in":300,"reusable":false}
→ 200 OK
{"mfa_token":"<8 digits>","expires_at":"2026-03-01T09:35:00Z","reusable":false,"device_id":"user_temp_otp_2","resuable":false}
"#);
}

#[tokio::test]
async fn an_empty_body_may_call_itself_json() {
    let wire = Wire::start().await;
    let device = sms(&wire).await;
    for path in [format!("1/otp_devices/{device}/trigger"), "1/mfa_token".to_owned()] {
        let path = format!("/api/1/users/{}/{}", wire.user, &path[2..]);
        let token = wire.server.token(Scope::ManageAll).await;
        let script = Script::post(&path)
            .header("authorization", &format!("bearer:{token}"))
            .header("content-type", "application/json")
            .header("content-length", "0");
        let status = wire.send(script).await.status();
        assert!(matches!(status, 200 | 201), "{path}: {status}");
    }
}
