//! Devices, challenges and their answers (contract 7.5 to 7.10).

use super::*;

// 7.5, 7.6

/// Contract 14.20: the sample's members, not the table's.
#[tokio::test]
async fn active_devices_are_listed_with_five_members() {
    let wire = Wire::start().await;
    assert_snapshot!(wire.get("2/devices").await, @r"
GET /api/2/mfa/users/2/devices
→ 200 OK
[]
");
    paired(&wire).await;
    wire.sms().await;
    wire.totp().await;
    registered(&wire, 4, "email").await;
    assert_snapshot!(wire.get("2/devices").await, @r#"
GET /api/2/mfa/users/2/devices
→ 200 OK
[{"device_id":"1","user_display_name":"Ben's push","type_display_name":"OneLogin Protect","auth_factor_name":"OneLogin","default":true},{"device_id":"2","user_display_name":"Ben's phone","type_display_name":"OneLogin SMS","auth_factor_name":"SMS","default":false},{"device_id":"3","user_display_name":"Ben's app","type_display_name":"Authenticator","auth_factor_name":"Google Authenticator","default":false}]
"#);
}

#[tokio::test]
async fn a_device_is_removed_once_and_the_next_is_the_default() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    wire.totp().await;
    let (id, code) = challenged(&wire, &device, "sms").await;
    let path = format!("2/devices/{device}");
    assert_snapshot!(transcript([
        wire.delete(&path).await,
        wire.delete(&path).await,
        wire.delete("2/devices/abc").await,
    ]), @r#"
DELETE /api/2/mfa/users/2/devices/1
→ 204 No Content

DELETE /api/2/mfa/users/2/devices/1
→ 404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}

DELETE /api/2/mfa/users/2/devices/abc
→ 404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
    assert_eq!(wire.get("2/devices").await.single()["default"], true);
    assert_eq!(answer(&wire, &id, &otp(&code)).await.status(), 404);
}

// 7.7

#[tokio::test]
async fn a_challenge_is_an_object_of_texts() {
    let wire = Wire::start().await;
    let sms = wire.sms().await;
    assert_snapshot!(wire.post("2/verifications", &format!(r#"{{"device_id":"{sms}","expires_in":"240","display_name":"x"}}"#)).await, @r#"
POST /api/2/mfa/users/2/verifications
{"device_id":"1","expires_in":"240","display_name":"x"}
→ 201 Created
{"id":"<uuid>","status":"pending","user_id":"2","device_id":"1","user_display_name":"Ben's phone","type_display_name":"OneLogin SMS","auth_factor_name":"SMS","expires_at":"2026-03-01T09:34:00Z"}
"#);
    let (totp, _) = wire.totp().await;
    assert_snapshot!(challenge(&wire, &totp).await.answer(), @r#"
201 Created
{"id":"<uuid>","status":"pending","user_id":"2","device_id":"2","user_display_name":"Ben's app","type_display_name":"Authenticator","auth_factor_name":"Google Authenticator","expires_at":"2026-03-01T09:33:00Z"}
"#);
    let phone = paired(&wire).await;
    assert_snapshot!(challenge(&wire, &phone).await.answer(), @r#"
201 Created
{"id":"<uuid>","status":"pending","user_id":"2","device_id":"3","user_display_name":"Ben's push","type_display_name":"OneLogin Protect","auth_factor_name":"OneLogin","expires_at":"2026-03-01T09:33:00Z"}
"#);
}

#[tokio::test]
async fn a_challenge_by_call_shows_digits() {
    let wire = Wire::start().await;
    let device = register(&wire, r#"{"factor_id":3,"verified":true}"#).await.text("device_id");
    let told = challenge(&wire, &device).await;
    let digits = told.single()["factor_data"]["verification_token"].as_str().unwrap().to_owned();
    assert_snapshot!(told.answer().replace(&digits, "<6 digits>"), @r#"
201 Created
{"id":"<uuid>","status":"pending","user_id":"2","device_id":"1","user_display_name":"OneLogin Voice","type_display_name":"OneLogin Voice","auth_factor_name":"OneLogin Voice","expires_at":"2026-03-01T09:32:00Z","factor_data":{"verification_token":"<6 digits>"}}
"#);
}

#[tokio::test]
async fn a_challenge_names_the_parameter_that_is_wrong() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    assert_snapshot!(wire.post("2/verifications", "").await, @r#"
POST /api/2/mfa/users/2/verifications
→ 422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["device_id"]}}
"#);
    for (body, parameter) in [
        (r#"{"device_id":"abc"}"#.to_owned(), "device_id"),
        (r#"{"device_id":{}}"#.to_owned(), "device_id"),
        (r#"{"otp":""}"#.to_owned(), "device_id"),
        (format!(r#"{{"device_id":{device},"expires_in":901}}"#), "expires_in"),
        (format!(r#"{{"device_id":{device},"redirect_to":"https://example.com/"}}"#), "redirect_to"),
        (format!(r#"{{"device_id":{device},"custom_message":"no code"}}"#), "custom_message"),
        (format!(r#"{{"device_id":{device},"otp":["123456"]}}"#), "otp"),
    ] {
        let told = wire.post("2/verifications", &body).await;
        assert_eq!(told.status(), 422, "{told}");
        assert_eq!(told.0.json()["details"]["parameters"], serde_json::json!([parameter]), "{told}");
    }
    assert_eq!(wire.newest_message().await, 0, "nothing was sent");
    assert_snapshot!(challenge(&wire, "4711").await.answer(), @r#"
404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
}

// 7.8

#[tokio::test]
async fn a_code_alone_answers_the_newest_challenge() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    assert_snapshot!(wire.post("2/verifications", &otp("123456")).await.answer(), @r#"
404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
    let (id, code) = challenged(&wire, &device, "sms").await;
    assert_snapshot!(wire.post("2/verifications", &otp(&other(&code))).await.answer(), @r#"
401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    assert_eq!(wire.post("2/verifications", &otp(&code)).await.status(), 200);
    assert_eq!(verification(&wire, &id).await.single()["status"], "accepted");
    assert_eq!(wire.post("2/verifications", &otp(&code)).await.status(), 404);
}

#[tokio::test]
async fn a_code_with_its_device_needs_no_challenge() {
    let wire = Wire::start().await;
    let (device, app) = wire.totp().await;
    let code = app.code(wire.server.now());
    let wrong = wire.post("2/verifications", &otp_of(&app.wrong(wire.server.now()), &device)).await;
    assert_snapshot!(wrong.answer(), @r#"
401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    assert_eq!(wire.post("2/verifications", &otp_of(&code, &device)).await.status(), 200);
    assert_eq!(wire.post("2/verifications", &otp_of(&code, &device)).await.answer(), wrong.answer());
    assert_eq!(wire.post("2/verifications", &otp_of(&code, "4711")).await.status(), 404);
}

#[tokio::test]
async fn eight_digits_alone_are_a_temporary_token() {
    let wire = Wire::start().await;
    let token = wire.post("2/mfa_token", "").await.text("mfa_token");
    assert_snapshot!(wire.post("2/verifications", &otp(&other(&token))).await.answer(), @r#"
401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    assert_snapshot!(wire.post("2/verifications", &otp(&token)).await.answer(), @r#"
200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success","data":[{"id":"<uuid>","status":"accepted","device_id":"user_temp_otp_2"}]}
"#);
    assert_eq!(wire.post("2/verifications", &otp(&token)).await.status(), 401);
    let token = wire.post("2/mfa_token", "").await.text("mfa_token");
    assert_eq!(wire.post("2/verifications", &format!(r#"{{"otp":{token}}}"#)).await.status(), 200);
}

/// Contract 7.8: the documented body, and beside it what was verified, in the words of 7.9.
#[tokio::test]
async fn a_code_without_a_verification_answers_both_shapes() {
    let wire = Wire::start().await;
    let phone = wire.sms().await;
    let (id, code) = challenged(&wire, &phone, "sms").await;
    let told = wire.post("2/verifications", &otp(&code)).await;
    assert_snapshot!(told.answer(), @r#"
200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success","data":[{"id":"<uuid>","status":"accepted","device_id":"1"}]}
"#);
    assert_eq!(told.json()["data"][0]["id"], id.as_str(), "the verification that was answered");
    assert_eq!(verification(&wire, &id).await.single()["status"], "accepted");
    let (device, app) = wire.totp().await;
    let told = wire.post("2/verifications", &otp_of(&app.code(wire.server.now()), &device)).await;
    assert_snapshot!(told.answer(), @r#"
200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success","data":[{"id":"<uuid>","status":"accepted","device_id":"2"}]}
"#);
    assert!(told.0.text.contains(r#""status":"accepted""#), "as bytes, which is what one module looks for");
    let token = wire.post("2/mfa_token", "").await.text("mfa_token");
    let told = wire.post("2/verifications", &otp(&token)).await;
    assert_snapshot!(told.answer(), @r#"
200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success","data":[{"id":"<uuid>","status":"accepted","device_id":"user_temp_otp_2"}]}
"#);
    wire.server.advance(60);
    let wire = wire.speaking(CompatProfile::NumericIds);
    let told = wire.post("2/verifications", &otp_of(&app.code(wire.server.now()), &device)).await;
    let id = told.json()["data"][0]["id"].as_str().expect("a text").to_owned();
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
}

// 7.9, 7.10

/// Contract 14.4: the documented body and the one that clients wait for, in one.
#[tokio::test]
async fn a_verification_is_accepted_with_both_bodies_in_one() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    let (id, code) = challenged(&wire, &device, "sms").await;
    assert_eq!(verification(&wire, &id).await.0.text, format!(r#"{{"id":"{id}","status":"pending","device_id":"1"}}"#));
    assert_snapshot!(answer(&wire, &id, &otp_of(&other(&code), &device)).await.answer(), @r#"
401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    assert_eq!(answer(&wire, &id, &otp_of(&code, "4711")).await.status(), 404);
    assert_snapshot!(answer(&wire, &id, &otp_of(&code, &device)).await.answer(), @r#"
200 OK
{"id":"<uuid>","status":"accepted","device_id":"1","type":"success","code":200,"message":"Success","error":false,"name":"Success"}
"#);
    assert_eq!(
        verification(&wire, &id).await.0.text,
        format!(r#"{{"id":"{id}","status":"accepted","device_id":"1"}}"#)
    );
    assert_snapshot!(answer(&wire, &id, &otp_of(&code, &device)).await.answer(), @r#"
404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
}

#[tokio::test]
async fn an_app_answers_by_its_verification() {
    let wire = Wire::start().await;
    let (device, app) = wire.totp().await;
    let id = challenge(&wire, &device).await.text("id");
    let body = format!(r#"{{"otp":"{}","device_id":{device}}}"#, app.code(wire.server.now()));
    assert_eq!(answer(&wire, &id, &body).await.status(), 200);
    let id = challenge(&wire, &device).await.text("id");
    assert_eq!(answer(&wire, &id, &body).await.status(), 401, "a code counts once");
    assert_eq!(answer(&wire, &id, "{}").await.status(), 422);
    assert_eq!(verification(&wire, &id).await.single()["status"], "pending");
}

#[tokio::test]
async fn a_result_stays_readable_ten_minutes_and_a_pending_one_does_not() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    let (accepted, code) = challenged(&wire, &device, "sms").await;
    answer(&wire, &accepted, &otp(&code)).await;
    let (pending, code) = challenged(&wire, &device, "sms").await;
    wire.server.advance(120);
    assert_snapshot!(verification(&wire, &pending).await.answer(), @r#"
404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
    assert_eq!(answer(&wire, &pending, &otp(&code)).await.status(), 404);
    wire.server.advance(599);
    assert_eq!(verification(&wire, &accepted).await.status(), 200);
    wire.server.advance(1);
    assert_eq!(verification(&wire, &accepted).await.status(), 404);
    assert_eq!(verification(&wire, "4711").await.status(), 404);
}

#[tokio::test]
async fn five_wrong_codes_reject_a_verification() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    let (id, code) = challenged(&wire, &device, "sms").await;
    for n in 0..5 {
        let wrong = format!("{n}{}", &code[1..]);
        let wrong = if wrong == code { "999999".to_owned() } else { wrong };
        assert_eq!(answer(&wire, &id, &otp(&wrong)).await.status(), 401);
    }
    assert_snapshot!(answer(&wire, &id, &otp_of(&code, &device)).await.answer(), @r#"
401 Unauthorized
retry-after: 60
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    assert_snapshot!(verification(&wire, &id).await.answer(), @r#"
200 OK
{"id":"<uuid>","status":"rejected","device_id":"1"}
"#);
    assert_snapshot!(challenge(&wire, &device).await.answer(), @r#"
429 Too Many Requests
retry-after: 60
{"statusCode":429,"name":"TooManyRequestsError","message":"Rate limit exceeded"}
"#);
    wire.server.advance(60);
    assert_eq!(answer(&wire, &id, &otp(&code)).await.status(), 404);
}

#[tokio::test]
async fn a_push_is_polled() {
    let wire = Wire::start().await;
    let device = paired(&wire).await;
    for (person, status) in [("accept", "accepted"), ("deny", "rejected")] {
        let id = challenge(&wire, &device).await.text("id");
        assert_eq!(challenge(&wire, &device).await.text("id"), id, "one prompt at a time");
        assert_eq!(verification(&wire, &id).await.single()["status"], "pending");
        assert_eq!(answer(&wire, &id, &otp("123456")).await.status(), 422);
        wire.dev(&format!("/dev/phone/{person}"), "").await;
        let told = verification(&wire, &id).await;
        assert_eq!(told.0.text, format!(r#"{{"id":"{id}","status":"{status}","device_id":"{device}"}}"#));
        assert_eq!(verification(&wire, &id).await.0.text, told.0.text, "reading uses nothing up");
    }
}

#[tokio::test]
async fn a_call_is_answered_at_the_telephone_only() {
    let wire = Wire::start().await;
    let device = register(&wire, r#"{"factor_id":3,"verified":true}"#).await.text("device_id");
    for right in [true, false] {
        let after = wire.newest_message().await;
        let told = challenge(&wire, &device).await;
        let digits = told.single()["factor_data"]["verification_token"].as_str().unwrap().to_owned();
        let id = told.text("id");
        assert_eq!(answer(&wire, &id, &otp(&digits)).await.status(), 422);
        let call = wire.message("voice", after).await;
        let keyed = if right { digits } else { other(&digits) };
        wire.dev(&format!("/dev/outbox/{}/keypad", call["id"]), &format!(r#"{{"digits":"{keyed}"}}"#)).await;
        let status = if right { "accepted" } else { "rejected" };
        assert_eq!(verification(&wire, &id).await.single()["status"], status);
    }
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_found() {
    let mut wire = Wire::start().await;
    let device = wire.sms().await;
    let (id, code) = challenged(&wire, &device, "sms").await;
    let (registration_id, _) = registered(&wire, 4, "email").await;
    wire.user = wire.server.user(0).id;
    assert_eq!(challenge(&wire, &device).await.status(), 404);
    assert_eq!(verification(&wire, &id).await.status(), 404);
    assert_eq!(answer(&wire, &id, &otp(&code)).await.status(), 404);
    assert_eq!(wire.post("2/verifications", &otp(&code)).await.status(), 404);
    assert_eq!(registration(&wire, &registration_id).await.status(), 404);
    assert_eq!(wire.delete(&format!("2/devices/{device}")).await.status(), 404);
}

#[tokio::test]
async fn a_registration_is_no_verification() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    let (verification_id, code) = challenged(&wire, &device, "sms").await;
    assert_eq!(registration(&wire, &verification_id).await.status(), 404);
    assert_eq!(confirm(&wire, &verification_id, &otp(&code)).await.status(), 404);
    let (registration_id, code) = registered(&wire, 4, "email").await;
    assert_eq!(verification(&wire, &registration_id).await.status(), 404);
    assert_eq!(answer(&wire, &registration_id, &otp(&code)).await.status(), 404);
}

/// A device that makes its codes itself is challenged without a look at its secret: what is damaged shows when it is needed.
#[tokio::test]
async fn challenging_an_app_opens_no_seal() {
    let wire = Wire::start().await;
    wire.totp().await;
    let (user, store) = (domain::UserId(wire.user), wire.server.engine().store());
    let whole = store.view(user).await.unwrap().devices[0].clone();
    let (id, credential) = (domain::DeviceId(9_000), domain::Sealed(vec![0; 40]));
    let broken = domain::Change::CreateDevice(domain::Device { id, credential, ..whole });
    store.decide(user, move |_| domain::Decision::of(vec![broken.clone()], ())).await.unwrap();
    let app = id.0;
    let opened = wire.post("2/verifications", &format!(r#"{{"device_id":"{app}"}}"#)).await;
    assert_eq!(opened.status(), 201, "{opened}");
    let answered = answer(&wire, &opened.text("id"), &otp("123456")).await;
    assert_eq!(answered.status(), 500, "{answered}");
}

/// Each is one decision, whether or not something had to be drawn for it first.
#[tokio::test]
async fn a_challenge_is_one_decision() {
    let wire = Wire::start().await;
    let (sms, (app, _)) = (wire.sms().await, wire.totp().await);
    let opened = || {
        let decisions = wire.server.engine().decision_counts().read();
        decisions
            .filter(|(name, ..)| name.name() == "open_verification")
            .map(|(_, done, failed)| done + failed)
            .sum::<u64>()
    };
    let before = opened();
    for device in [&app, &sms] {
        let challenged = wire.post("2/verifications", &format!(r#"{{"device_id":"{device}"}}"#)).await;
        assert_eq!(challenged.status(), 201, "{challenged}");
    }
    assert_eq!(opened() - before, 2);
    assert_eq!(wire.post("2/verifications", r#"{"device_id":"999"}"#).await.status(), 404);
    assert_eq!(opened() - before, 2, "nothing was decided");
}
