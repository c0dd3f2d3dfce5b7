//! Factors, ids, scopes, enrolment and the list of devices (contract 1.7, 4.1 to 4.3).

use super::*;

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
        wire.call_as(Scope::Authenticate, "GET", "1/otp_devices", "").await,
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

/// Contract 14.8: `id` is the device here, and is there twice.
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
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"active":false,"default":false,"state_token":"<40 hex>","auth_factor_name":"OneLogin Protect","type_display_name":"OneLogin Protect","needs_trigger":true,"user_display_name":"OneLogin Protect","id":3,"device_id":3,"factor_data":{"verification_token":"<pairing code>","totp_url":"http://127.0.0.1:8080/app#<pairing code>"}}]}
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

/// SEC 34: the answer says why a number is refused, since the operator can help.
#[tokio::test]
async fn a_country_not_allowed_is_named() {
    let countries = domain::Countries::of(["DE", "+44"]).expect("a list of countries");
    let wire = Wire::start_with(Setup { countries, ..Setup::default() }).await;
    let asked = |factor: i64, number: &str| {
        let number = if number.is_empty() { String::new() } else { format!(r#","number":"{number}""#) };
        format!(r#"{{"factor_id":{factor},"display_name":"x"{number}}}"#)
    };
    for factor in [2, 3] {
        // The last is the user's own, which is American.
        for elsewhere in ["+14155550123", "001 (415) 555-0123", "+8613812345678", ""] {
            let told = wire.post("1/otp_devices", &asked(factor, elsewhere)).await;
            assert_eq!(told.status(), 400, "{told}");
            assert_eq!(told.json()["status"]["message"], "number is not in an allowed country", "{told}");
            let told = wire.post("2/registrations", &asked(factor, elsewhere)).await;
            assert_eq!(told.status(), 422, "{told}");
            let details =
                serde_json::json!({ "parameters": ["phone"], "message": "number is not in an allowed country" });
            assert_eq!(told.json()["details"], details, "{told}");
        }
        // What is no number, or one that costs, is that wherever it is.
        for none in ["4155550123", "+19005550123", "+449098790000"] {
            let told = wire.post("1/otp_devices", &asked(factor, none)).await;
            assert_eq!(told.json()["status"]["message"], "number is invalid", "{told}");
            let told = wire.post("2/registrations", &asked(factor, none)).await;
            assert_eq!(told.json()["details"], serde_json::json!({ "parameters": ["phone"] }), "{told}");
        }
        for listed in ["+49 (0)151 12345678", "+447400123456"] {
            assert_eq!(wire.post("1/otp_devices", &asked(factor, listed)).await.status(), 200, "{listed}");
        }
    }
    // A visit is no way round.
    let visit = r#"{"user_identifier":"zoe","phone":"+14155550123","context":{"ip":"192.0.2.1","user_agent":"x"}}"#;
    let told = wire.post("/api/2/smart-mfa", visit).await;
    assert_eq!(told.status(), 422, "{told}");
    assert_eq!(told.json()["details"]["message"], "number is not in an allowed country", "{told}");
    assert_eq!(wire.newest_message().await, 0, "nothing was sent");
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
