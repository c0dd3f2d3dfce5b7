//! What a clock that is moved ahead and back again leaves behind (SEC 74, SEC 75).

#[path = "wire/mod.rs"]
mod wire;

use wire::{App, Wire};

const DAYS: i64 = 2 * 86_400;

/// As `PUT /dev/clock` takes it. A dev world's clock may also be moved backwards.
async fn moved(wire: &Wire, seconds: i64) {
    let script = testkit::Script::put("/dev/clock").json(&format!(r#"{{"advance_seconds":{seconds}}}"#));
    let answer = wire.server.send(script).await;
    assert_eq!(answer.status, 200, "{answer}");
    wire.server.forget_tokens();
}

async fn verified(wire: &Wire, device: &str, code: &str) -> u16 {
    let body = format!(r#"{{"otp_token":"{code}"}}"#);
    wire.post(&format!("1/otp_devices/{device}/verify"), &body).await.0.status.as_u16()
}

#[tokio::test]
async fn a_device_that_was_used_under_a_wrong_clock_can_be_released() {
    let wire = Wire::start().await;
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
    let (device, app) = (enrolled.text("id"), App::reading(&enrolled.single()["factor_data"]));
    moved(&wire, DAYS).await;
    assert_eq!(verified(&wire, &device, &app.code(wire.server.now())).await, 200);
    moved(&wire, -DAYS).await;
    assert_eq!(verified(&wire, &device, &app.code(wire.server.now())).await, 401);
    let unlock = format!("/api/2/users/{}/unlock", wire.user);
    let manage = domain::Scope::ManageAll;
    let answer = wire.server.call(manage, testkit::Script::post(&unlock)).await;
    assert_eq!(answer.status, 200, "{answer}");
    moved(&wire, 60).await;
    assert_eq!(verified(&wire, &device, &app.code(wire.server.now())).await, 200);
    let answer = wire.server.call(manage, testkit::Script::post(&unlock)).await;
    assert_eq!(answer.status, 422, "there is nothing more to lift: {answer}");
}

#[tokio::test]
async fn a_token_that_was_over_stays_over_when_the_clock_is_vouched_for() {
    let wire = Wire::start().await;
    let asked = wire.post("1/mfa_token", r#"{"expires_in":120,"reusable":true}"#).await;
    let temporary = asked.single()["mfa_token"].as_str().expect("a temporary token").to_owned();
    let scope = domain::Scope::ManageAll;
    let old = wire.server.token(scope).await;
    let call = async |token: &str| {
        let path = format!("/api/2/users/{}", wire.user);
        let script = testkit::Script::get(&path).header("authorization", &format!("Bearer {token}"));
        wire.server.send(script).await.status.as_u16()
    };
    assert_eq!((verified(&wire, "0", &temporary).await, call(&old).await), (200, 200));
    let wrong = 2 * DAYS;
    moved(&wire, wrong).await;
    let newer = wire.server.token(scope).await;
    assert_eq!((call(&old).await, call(&newer).await), (401, 200));
    moved(&wire, -wrong).await;
    assert_eq!(verified(&wire, "0", &temporary).await, 401, "the temporary token");
    assert_eq!(call(&old).await, 401, "the access token");
    assert_eq!(call(&newer).await, 200, "what was not over works on");
    wire.server.advance(10 * 3_600 + 1);
    assert_eq!(call(&newer).await, 401, "and no longer than any other");
}

/// SEC 75: what began while the clock was ahead would live longer by that. It ends when time is taken back.
#[tokio::test]
async fn nothing_that_began_under_a_wrong_clock_outlives_it() {
    let wire = Wire::start().await;
    let phone = wire.sms().await;
    let wrong = 300 * DAYS;
    moved(&wire, wrong).await;
    wire.server.forget_tokens();
    let body = format!(r#"{{"device_id":{phone}}}"#);
    let (put, code) = wire.sent("sms", wire.post("2/verifications", &body)).await;
    let asked = wire.post("1/mfa_token", "").await;
    let temporary = asked.single()["mfa_token"].as_str().expect("a temporary token").to_owned();
    moved(&wire, -wrong).await;
    wire.server.forget_tokens();
    let answer = format!(r#"{{"otp":"{code}"}}"#);
    assert_eq!(wire.put(&format!("2/verifications/{}", put.text("id")), &answer).await.status(), 404);
    assert_eq!(verified(&wire, "0", &temporary).await, 401);
}

#[tokio::test]
async fn a_code_that_was_over_stays_over_when_the_clock_goes_back() {
    // Set back without a word: trusted time does not go back. Moved back by somebody who vouches for it: what is over
    // was ended first.
    for vouched in [false, true] {
        for asked in [false, true] {
            let wire = Wire::start().await;
            let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123"}"#;
            let device = wire.post("1/otp_devices", body).await.text("id");
            let trigger = format!("1/otp_devices/{device}/trigger");
            let (told, code) = wire.sent("sms", wire.post(&trigger, "")).await;
            let answer = format!(r#"{{"state_token":"{}","otp_token":"{code}"}}"#, told.text("state_token"));
            let path = format!("1/otp_devices/{device}/verify");
            wire.server.advance(121);
            // Seen is what somebody has looked at; a server does every second.
            wire.server.world.engine().now();
            if asked {
                assert_ne!(wire.post(&path, &answer).await.0.status, 200);
            }
            if vouched {
                moved(&wire, -60).await;
            } else {
                wire.server.advance(-60);
            }
            let late = wire.post(&path, &answer).await;
            assert_ne!(late.0.status, 200, "vouched: {vouched}, asked: {asked}: {late}");
        }
    }
}
