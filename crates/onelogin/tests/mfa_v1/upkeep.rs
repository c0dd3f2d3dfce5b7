//! Removal, temporary tokens, the user as a whole and compat profiles (contract 4.6, 4.7, 15).

use super::*;

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
