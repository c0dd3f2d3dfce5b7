//! Challenges and their answers (contract 4.4, 4.5).

use super::*;

// 4.4

/// Contract 14.7: `id` is the user here, the device is beside it.
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
    let strict = countersign_onelogin::DialectOptions {
        strict_v1_scopes: true,
        ..countersign_onelogin::DialectOptions::default()
    };
    let strict = Wire::start_with(Setup { options: strict, ..Setup::default() }).await;
    for (wire, status) in [(lenient, 200), (strict, 401)] {
        let device = sms(&wire).await;
        let path = format!("1/otp_devices/{device}/trigger");
        assert_eq!(wire.call_as(Scope::ReadUsers, "POST", &path, "").await.status(), status);
        assert_eq!(wire.call_as(Scope::Authenticate, "POST", &path, "").await.status(), 401);
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
async fn a_code_gets_its_zeros_back_as_number_and_as_text() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    for spelling in [|code: &str| format!(r#"{{"otp_code":{code}}}"#), |code: &str| code_alone(code)] {
        wire.server.advance(90);
        while !app.code(wire.server.now()).starts_with('0') {
            wire.server.advance(30);
        }
        let shorter = app.code(wire.server.now()).trim_start_matches('0').to_owned();
        assert_eq!(verify(&wire, &device, &spelling(&shorter)).await.status(), 200, "{shorter}");
    }
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

/// SEC 3: as a script reads it from a terminal. Every other door: `tests/codes.rs`.
#[tokio::test]
async fn white_space_around_a_code_is_nothing() {
    let wire = Wire::start().await;
    let (device, app) = app(&wire).await;
    for spelling in [|code: &str| format!("{code}\n"), |code: &str| format!(" {code}\r\n")] {
        wire.server.advance(90);
        let code = spelling(&app.code(wire.server.now()));
        let body = serde_json::json!({ "otp_token": code }).to_string();
        assert_eq!(wire.post(&format!("1/otp_devices/{device}/verify"), &body).await.status(), 200, "{code:?}");
    }
}
