//! Scopes, ids, factors and registrations (contract 1.7, 7.1 to 7.4).

use super::*;

// 1.7

/// Contract 14.15: MFA has its own name for a 401.
#[tokio::test]
async fn nobody_gets_in_without_a_token_of_the_right_scope() {
    let wire = Wire::start().await;
    let path = format!("/api/2/mfa/users/{}/devices", wire.user);
    assert_snapshot!(transcript([
        wire.send(Script::get(&path)).await,
        wire.send(Script::get(&path).header("authorization", "Bearer nonsense")).await,
        wire.call_as(Scope::Authenticate, "GET", "2/devices", "").await,
        wire.call_as(Scope::ReadAll, "POST", "2/registrations", "{}").await,
        wire.call_as(Scope::ReadUsers, "POST", "2/mfa_token", "{}").await,
    ]), @r#"
GET /api/2/mfa/users/2/devices
→ 401 Unauthorized
{"statusCode":401,"name":"InvalidCredentials","message":"Please provide valid credentials"}

GET /api/2/mfa/users/2/devices
→ 401 Unauthorized
{"statusCode":401,"name":"InvalidCredentials","message":"Please provide valid credentials"}

GET /api/2/mfa/users/2/devices
→ 403 Forbidden
{"statusCode":403,"name":"ForbiddenAction","message":"You are not authorised to perform this action or access the resource"}

POST /api/2/mfa/users/2/registrations
{}
→ 403 Forbidden
{"statusCode":403,"name":"ForbiddenAction","message":"You are not authorised to perform this action or access the resource"}

POST /api/2/mfa/users/2/mfa_token
{}
→ 403 Forbidden
{"statusCode":403,"name":"ForbiddenAction","message":"You are not authorised to perform this action or access the resource"}
"#);
    for scope in [Scope::ReadUsers, Scope::ManageUsers, Scope::ReadAll, Scope::ManageAll] {
        assert_eq!(wire.call_as(scope, "GET", "2/devices", "").await.status(), 200, "{scope:?}");
    }
}

/// Contract 14.16: wider scopes by default, the documented ones by a switch.
#[tokio::test]
async fn strict_scopes_leave_manage_all_and_tokens() {
    let options = countersign_onelogin::DialectOptions {
        strict_v2_scopes: true,
        ..countersign_onelogin::DialectOptions::default()
    };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    for path in ["2/factors", "2/devices"] {
        assert_eq!(wire.call_as(Scope::ReadAll, "GET", path, "").await.status(), 403);
        assert_eq!(wire.call_as(Scope::ManageUsers, "GET", path, "").await.status(), 403);
        assert_eq!(wire.call_as(Scope::ManageAll, "GET", path, "").await.status(), 200);
    }
    assert_eq!(wire.call_as(Scope::ManageUsers, "POST", "2/mfa_token", "").await.status(), 201);
}

#[tokio::test]
async fn an_unknown_user_and_no_integer_are_not_found() {
    let wire = Wire::start().await;
    let told = wire.get(&format!("{NOBODY}/factors")).await;
    assert_snapshot!(told, @r#"
GET /api/2/mfa/users/987654321/factors
→ 404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
    for (method, path, body) in [
        ("GET", "factors", ""),
        ("GET", "devices", ""),
        ("DELETE", "devices/1", ""),
        ("DELETE", "devices/user_temp_otp_987654321", ""),
        ("POST", "registrations", r#"{"factor_id":5}"#),
        ("GET", "registrations/a", ""),
        ("PUT", "registrations/a", r#"{"otp":"123456"}"#),
        ("POST", "verifications", r#"{"device_id":1}"#),
        ("POST", "verifications", r#"{"otp":"123456"}"#),
        ("POST", "verifications", r#"{"otp":"12345678"}"#),
        ("POST", "verifications", r#"{"otp":"123456","device_id":1}"#),
        ("GET", "verifications/a", ""),
        ("PUT", "verifications/a", r#"{"otp":"123456"}"#),
        ("POST", "mfa_token", ""),
    ] {
        for user in [NOBODY, "/api/2/mfa/users/ben"] {
            let path = format!("{user}/{path}");
            assert_eq!(wire.call(method, &path, body).await.answer(), told.answer(), "{method} {path} {body}");
        }
    }
}

#[tokio::test]
async fn older_and_mistyped_paths_lead_to_the_same_place() {
    let wire = Wire::start().await;
    let user = wire.user;
    let today = wire.get("2/factors").await.answer();
    for path in [format!("/api/2/users/{user}/factors"), format!("/api/2/mfa/users/{user}/factors/")] {
        assert_eq!(wire.get(&path).await.answer(), today, "{path}");
    }
    assert_eq!(wire.post(&format!("/api/2/mfs/users/{user}/mfa_token"), "").await.status(), 201);
    assert_eq!(wire.post(&format!("/api/2/mfa/users/{user}/verifications/"), "").await.status(), 422);
    assert_snapshot!(wire.get("2/nothing").await, @r#"
GET /api/2/mfa/users/2/nothing
→ 404 Not Found
{"statusCode":404,"name":"NotFoundError","message":"No Route Exists"}
"#);
}

// 7.1

#[tokio::test]
async fn factors_are_listed_with_three_members() {
    let wire = Wire::start().await;
    assert_snapshot!(wire.get("2/factors").await, @r#"
GET /api/2/mfa/users/2/factors
→ 200 OK
[{"factor_id":1,"name":"OneLogin Protect","auth_factor_name":"OneLogin"},{"factor_id":2,"name":"OneLogin SMS","auth_factor_name":"SMS"},{"factor_id":3,"name":"OneLogin Voice","auth_factor_name":"OneLogin Voice"},{"factor_id":4,"name":"OneLogin Email","auth_factor_name":"OneLogin Email"},{"factor_id":5,"name":"Authenticator","auth_factor_name":"Google Authenticator"},{"factor_id":6,"name":"HOTP","auth_factor_name":"HOTP"}]
"#);
    wire.sms().await;
    wire.totp().await;
    assert_snapshot!(wire.get("2/factors").await.answer(), @r#"
200 OK
[{"factor_id":1,"name":"OneLogin Protect","auth_factor_name":"OneLogin"},{"factor_id":3,"name":"OneLogin Voice","auth_factor_name":"OneLogin Voice"},{"factor_id":4,"name":"OneLogin Email","auth_factor_name":"OneLogin Email"},{"factor_id":5,"name":"Authenticator","auth_factor_name":"Google Authenticator"},{"factor_id":6,"name":"HOTP","auth_factor_name":"HOTP"}]
"#);
}

// 7.2

#[tokio::test]
async fn a_registration_by_message_sends_a_code() {
    let wire = Wire::start().await;
    let (told, code) = wire.sent("sms", register(&wire, r#"{"factor_id":2,"display_name":"Ben's phone"}"#)).await;
    assert_snapshot!(told, @r#"
POST /api/2/mfa/users/2/registrations
{"factor_id":2,"display_name":"Ben's phone"}
→ 201 Created
{"id":"<uuid>","status":"pending","user_id":"2","auth_factor_name":"SMS","type_display_name":"OneLogin SMS","user_display_name":"Ben's phone","expires_at":"2026-03-01T09:32:00Z"}
"#);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    let (told, code) = wire.sent("email", register(&wire, r#"{"factor_id":"4","expires_in":"900"}"#)).await;
    assert_snapshot!(told, @r#"
POST /api/2/mfa/users/2/registrations
{"factor_id":"4","expires_in":"900"}
→ 201 Created
{"id":"<uuid>","status":"pending","user_id":"2","auth_factor_name":"OneLogin Email","type_display_name":"OneLogin Email","user_display_name":"OneLogin Email","expires_at":"2026-03-01T09:45:00Z"}
"#);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
}

#[tokio::test]
async fn a_registration_by_call_shows_digits_and_does_not_say_them() {
    let wire = Wire::start().await;
    let after = wire.newest_message().await;
    let told = register(&wire, r#"{"factor_id":3,"display_name":"Ben's landline"}"#).await;
    let digits = told.single()["factor_data"]["verification_token"].as_str().unwrap().to_owned();
    assert_snapshot!(told.to_string().replace(&digits, "<6 digits>"), @r#"
POST /api/2/mfa/users/2/registrations
{"factor_id":3,"display_name":"Ben's landline"}
→ 201 Created
{"id":"<uuid>","status":"pending","user_id":"2","auth_factor_name":"OneLogin Voice","type_display_name":"OneLogin Voice","user_display_name":"Ben's landline","expires_at":"2026-03-01T09:32:00Z","factor_data":{"verification_token":"<6 digits>"}}
"#);
    let call = wire.message("voice", after).await;
    assert!(call["code"].is_null() && !call["body"].as_str().unwrap().contains(&digits), "{call}");
}

#[tokio::test]
async fn a_registration_of_an_app_or_a_phone_tells_what_they_need() {
    let wire = Wire::start().await;
    assert_snapshot!(register(&wire, r#"{"factor_id":5,"display_name":"Ben's app"}"#).await, @r#"
POST /api/2/mfa/users/2/registrations
{"factor_id":5,"display_name":"Ben's app"}
→ 201 Created
{"id":"<uuid>","status":"pending","user_id":"2","auth_factor_name":"Google Authenticator","type_display_name":"Authenticator","user_display_name":"Ben's app","expires_at":"2026-03-01T09:32:00Z","factor_data":{"verification_token":"<base32>","totp_url":"otpauth://totp/acme:ben%40example.com?secret=<base32>&issuer=acme"}}
"#);
    assert_snapshot!(register(&wire, r#"{"factor_id":6,"display_name":"Ben's key"}"#).await.answer(), @r#"
201 Created
{"id":"<uuid>","status":"pending","user_id":"2","auth_factor_name":"HOTP","type_display_name":"HOTP","user_display_name":"Ben's key","expires_at":"2026-03-01T09:32:00Z","factor_data":{"verification_token":"<base32>","totp_url":"otpauth://hotp/acme:ben%40example.com?secret=<base32>&issuer=acme&counter=0"}}
"#);
    let told = register(&wire, r#"{"factor_id":1}"#).await;
    let code = told.single()["factor_data"]["verification_token"].as_str().unwrap().to_owned();
    assert_snapshot!(told.to_string().replace(&code, "<pairing code>"), @r#"
POST /api/2/mfa/users/2/registrations
{"factor_id":1}
→ 201 Created
{"id":"<uuid>","status":"pending","user_id":"2","auth_factor_name":"OneLogin","type_display_name":"OneLogin Protect","user_display_name":"OneLogin Protect","factor_data":{"verification_token":"<pairing code>","totp_url":"http://127.0.0.1:8080/app#<pairing code>"}}
"#);
}

#[tokio::test]
async fn a_trusted_number_is_accepted_at_once_and_can_be_read() {
    let wire = Wire::start().await;
    let told = register(&wire, r#"{"factor_id":2,"display_name":"Ben's phone","verified":true}"#).await;
    assert_snapshot!(told, @r#"
POST /api/2/mfa/users/2/registrations
{"factor_id":2,"display_name":"Ben's phone","verified":true}
→ 201 Created
{"id":"<uuid>","status":"accepted","user_id":"2","device_id":"1","auth_factor_name":"SMS","type_display_name":"OneLogin SMS","user_display_name":"Ben's phone"}
"#);
    assert_eq!(wire.newest_message().await, 0, "nothing is sent");
    assert_snapshot!(registration(&wire, &told.text("id")).await.answer(), @r#"
200 OK
{"id":"<uuid>","status":"accepted","device_id":"1"}
"#);
    assert_eq!(confirm(&wire, &told.text("id"), &otp("123456")).await.status(), 404);
}

#[tokio::test]
async fn a_registration_takes_its_own_words_and_target() {
    let wire = Wire::start().await;
    let after = wire.newest_message().await;
    let body = r#"{"factor_id":2,"expires_in":300,"number":"+14155550177","custom_message":"{{otp_code}} for {{otp_expiry}} min"}"#;
    assert_eq!(register(&wire, body).await.text("expires_at"), "2026-03-01T09:35:00Z");
    let message = wire.message("sms", after).await;
    assert_eq!(message["body"], format!("{} for 5 min", message["code"].as_str().unwrap()));
    assert_eq!(message["to"], "+14155550177");
}

#[tokio::test]
async fn a_registration_names_the_parameter_that_is_wrong() {
    let wire = Wire::start().await;
    assert_snapshot!(register(&wire, "").await, @r#"
POST /api/2/mfa/users/2/registrations
→ 422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["factor_id"]}}
"#);
    for (body, parameter) in [
        (r#"{"factor_id":99}"#, "factor_id"),
        (r#"{"factor_id":["2"]}"#, "factor_id"),
        (r#"{"factor_id":2,"display_name":{}}"#, "display_name"),
        (r#"{"factor_id":2,"display_name":"a\nb"}"#, "display_name"),
        (r#"{"factor_id":2,"expires_in":119}"#, "expires_in"),
        (r#"{"factor_id":2,"expires_in":"901"}"#, "expires_in"),
        (r#"{"factor_id":2,"expires_in":true}"#, "expires_in"),
        (r#"{"factor_id":5,"verified":true}"#, "verified"),
        (r#"{"factor_id":1,"verified":true}"#, "verified"),
        (r#"{"factor_id":2,"verified":"yes"}"#, "verified"),
        (r#"{"factor_id":4,"redirect_to":"https://example.com/done"}"#, "redirect_to"),
        (r#"{"factor_id":2,"custom_message":"no code"}"#, "custom_message"),
        (r#"{"factor_id":2,"number":"5550123"}"#, "phone"),
        (r#"{"factor_id":2,"number":["+14155550123"]}"#, "number"),
        (r#"{"factor_id":4,"email":"nowhere"}"#, "email"),
    ] {
        let told = register(&wire, body).await;
        assert_eq!(told.status(), 422, "{told}");
        assert_eq!(told.0.json()["details"]["parameters"], serde_json::json!([parameter]), "{told}");
    }
    assert_eq!(wire.newest_message().await, 0, "nothing was sent");
    assert_snapshot!(register(&wire, "{").await.answer(), @r#"
400 Bad Request
{"statusCode":400,"name":"BadRequestError","message":"Input JSON is not valid"}
"#);
}

#[tokio::test]
async fn a_user_without_a_number_cannot_register_one() {
    let mut wire = Wire::start().await;
    let created = wire.post("/api/2/users", r#"{"username":"dora"}"#).await;
    wire.user = created.0.json()["id"].as_i64().unwrap();
    assert_snapshot!(register(&wire, r#"{"factor_id":2,"display_name":"Dora's phone"}"#).await.answer(), @r#"
422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["phone"]}}
"#);
    assert_snapshot!(register(&wire, r#"{"factor_id":4,"display_name":"Dora's inbox"}"#).await.answer(), @r#"
422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["email"]}}
"#);
}

#[tokio::test]
async fn a_second_active_phone_is_refused_and_a_pending_one_replaced() {
    let wire = Wire::start().await;
    let (first, old) = registered(&wire, 2, "sms").await;
    let (second, new) = registered(&wire, 2, "sms").await;
    assert_eq!(registration(&wire, &first).await.status(), 404);
    assert_eq!(confirm(&wire, &first, &otp(&old)).await.status(), 404);
    assert_eq!(confirm(&wire, &second, &otp(&new)).await.status(), 200);
    assert_snapshot!(register(&wire, r#"{"factor_id":2,"display_name":"Another"}"#).await.answer(), @r#"
422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["factor_id"]}}
"#);
}

#[tokio::test]
async fn a_second_message_has_to_wait() {
    let wire = Wire::start_with(Setup { message_limits: true, ..Setup::default() }).await;
    let (id, code) = registered(&wire, 2, "sms").await;
    wire.server.advance(10);
    assert_snapshot!(register(&wire, r#"{"factor_id":2}"#).await.answer(), @r#"
429 Too Many Requests
retry-after: 20
{"statusCode":429,"name":"TooManyRequestsError","message":"Rate limit exceeded"}
"#);
    let done = confirm(&wire, &id, &otp(&code)).await;
    assert_eq!(challenge(&wire, &done.text("device_id")).await.status(), 429);
    wire.server.advance(20);
    assert_eq!(challenge(&wire, &done.text("device_id")).await.status(), 201);
}

// 7.3, 7.4

#[tokio::test]
async fn a_registration_goes_from_64_bytes_to_accepted() {
    let wire = Wire::start().await;
    let (id, code) = registered(&wire, 2, "sms").await;
    let pending = registration(&wire, &id).await;
    assert_eq!(pending.0.text, format!(r#"{{"id":"{id}","status":"pending"}}"#));
    assert_eq!(pending.0.text.len(), 64);
    assert_eq!(wire.get("2/devices").await.0.text, "[]");
    assert_snapshot!(confirm(&wire, &id, &otp(&other(&code))).await.answer(), @r#"
401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    let done = confirm(&wire, &id, &otp(&code)).await;
    assert_snapshot!(done.answer(), @r#"
200 OK
{"id":"<uuid>","status":"accepted","device_id":"1"}
"#);
    assert_eq!(done.0.text, format!(r#"{{"id":"{id}","status":"accepted","device_id":"1"}}"#));
    assert_eq!(registration(&wire, &id).await.0.text, done.0.text);
    assert_snapshot!(confirm(&wire, &id, &otp(&code)).await.answer(), @r#"
404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
}

/// Contract 14.1b: a code is a text at one endpoint of the documentation and a number at another.
#[tokio::test]
async fn a_code_may_be_a_number_that_lost_its_zero() {
    let wire = Wire::start().await;
    let told = register(&wire, r#"{"factor_id":5,"expires_in":900}"#).await;
    let app = App::reading(&told.single()["factor_data"]);
    while !app.code(wire.server.now()).starts_with('0') {
        wire.server.advance(30);
    }
    let number = app.code(wire.server.now()).trim_start_matches('0').to_owned();
    assert_eq!(confirm(&wire, &told.text("id"), &format!(r#"{{"otp":{number}}}"#)).await.status(), 200);
}

#[tokio::test]
async fn a_registration_needs_a_code_and_ends_with_its_time() {
    let wire = Wire::start().await;
    let (id, code) = registered(&wire, 2, "sms").await;
    assert_snapshot!(confirm(&wire, &id, "{}").await.answer(), @r#"
422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["otp"]}}
"#);
    assert_eq!(confirm(&wire, &id, r#"{"otp":["123456"]}"#).await.status(), 422);
    assert_eq!(confirm(&wire, "4711", &otp(&code)).await.status(), 404);
    wire.server.advance(120);
    assert_eq!(confirm(&wire, &id, &otp(&code)).await.status(), 404);
    assert_snapshot!(registration(&wire, &id).await.answer(), @r#"
404 Not Found
{"statusCode":404,"name":"NotFound","message":"The resource can't be found or the server has not found anything matching the Request-URI"}
"#);
}

#[tokio::test]
async fn five_wrong_codes_reject_a_registration() {
    let wire = Wire::start().await;
    let (id, code) = registered(&wire, 2, "sms").await;
    for n in 0..5 {
        let wrong = format!("{n}{}", &code[1..]);
        let wrong = if wrong == code { "999999".to_owned() } else { wrong };
        assert_eq!(confirm(&wire, &id, &otp(&wrong)).await.status(), 401);
    }
    assert_eq!(confirm(&wire, &id, &otp(&code)).await.status(), 404);
    assert_snapshot!(registration(&wire, &id).await.answer(), @r#"
200 OK
{"id":"<uuid>","status":"rejected"}
"#);
}

/// Contract 14.18: a wrong code is a 401, unless a switch says otherwise.
#[tokio::test]
async fn a_wrong_code_may_be_told_as_pending_at_registrations_only() {
    let options = countersign_onelogin::DialectOptions {
        v2_wrong_otp_200: true,
        ..countersign_onelogin::DialectOptions::default()
    };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    let (id, code) = registered(&wire, 2, "sms").await;
    assert_snapshot!(confirm(&wire, &id, &otp(&other(&code))).await.answer(), @r#"
200 OK
{"id":"<uuid>","status":"pending"}
"#);
    let device = confirm(&wire, &id, &otp(&code)).await.text("device_id");
    let (id, code) = challenged(&wire, &device, "sms").await;
    assert_eq!(answer(&wire, &id, &otp(&other(&code))).await.status(), 401);
}

#[tokio::test]
async fn a_call_and_a_phone_accept_while_the_caller_polls() {
    let wire = Wire::start().await;
    let after = wire.newest_message().await;
    let voice = register(&wire, r#"{"factor_id":3}"#).await;
    let digits = voice.single()["factor_data"]["verification_token"].as_str().unwrap().to_owned();
    assert_snapshot!(confirm(&wire, &voice.text("id"), &otp(&digits)).await.answer(), @r#"
422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["otp"]}}
"#);
    let call = wire.message("voice", after).await;
    wire.dev(&format!("/dev/outbox/{}/keypad", call["id"]), &format!(r#"{{"digits":"{digits}"}}"#)).await;
    assert_snapshot!(registration(&wire, &voice.text("id")).await.answer(), @r#"
200 OK
{"id":"<uuid>","status":"accepted","device_id":"1"}
"#);

    let push = register(&wire, r#"{"factor_id":1}"#).await;
    assert_snapshot!(confirm(&wire, &push.text("id"), &otp("123456")).await.answer(), @r#"
422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["otp"]}}
"#);
    wire.dev("/dev/phone/pair", &push.0.text).await;
    assert_snapshot!(registration(&wire, &push.text("id")).await.answer(), @r#"
200 OK
{"id":"<uuid>","status":"accepted","device_id":"2"}
"#);
}

/// Contract 7.2: SDKs send one with every e-mail; without a link it has no effect.
#[tokio::test]
async fn a_listed_redirect_is_taken() {
    let redirect_origins = vec!["https://app.example.com".to_owned()];
    let options =
        countersign_onelogin::DialectOptions { redirect_origins, ..countersign_onelogin::DialectOptions::default() };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    let to = |address: &str| format!(r#"{{"factor_id":4,"redirect_to":"{address}"}}"#);
    let taken = register(&wire, &to("https://app.example.com/done")).await;
    assert_eq!(taken.status(), 201, "{taken}");
    let refused = register(&wire, &to("https://other.example.com/done")).await;
    assert_eq!(
        (refused.status(), &refused.json()["details"]),
        (422, &serde_json::json!({ "parameters": ["redirect_to"] }))
    );
    let device = register(&wire, r#"{"factor_id":2,"verified":true}"#).await.text("device_id");
    let challenge = |address: &str| format!(r#"{{"device_id":"{device}","redirect_to":"{address}"}}"#);
    assert_eq!(wire.post("2/verifications", &challenge("https://app.example.com/done")).await.status(), 201);
    assert_eq!(wire.post("2/verifications", &challenge("https://app.example.com.evil.example/")).await.status(), 422);
}
