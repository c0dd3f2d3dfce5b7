//! Temporary tokens, the user as a whole, both versions together and compat profiles (contract 7.11, 15).

use super::*;

// 7.11

#[tokio::test]
async fn a_temporary_token_is_issued_and_revoked() {
    let wire = Wire::start().await;
    let told = wire.post("2/mfa_token", "").await;
    let token = told.text("mfa_token");
    assert_snapshot!(told.to_string().replace(&token, "<8 digits>"), @r#"
POST /api/2/mfa/users/2/mfa_token
→ 201 Created
{"mfa_token":"<8 digits>","expires_at":"2026-03-04T09:30:00Z","reusable":false,"device_id":"user_temp_otp_2"}
"#);
    let path = format!("2/devices/{}", told.text("device_id"));
    assert_snapshot!(wire.delete(&path).await, @r"
DELETE /api/2/mfa/users/2/devices/user_temp_otp_2
→ 204 No Content
");
    assert_eq!(wire.delete(&path).await.status(), 404);
    assert_eq!(wire.delete("2/devices/user_temp_otp_1").await.status(), 404);
    assert_eq!(wire.post("2/verifications", &otp(&token)).await.status(), 401);
    assert_snapshot!(wire.post("2/mfa_token", r#"{"expires_in":"119"}"#).await.answer(), @r#"
422 Unprocessable Entity
{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["expires_in"]}}
"#);
    assert_eq!(wire.post("2/mfa_token", r#"{"reusable":[]}"#).await.status(), 422);
}

// The user as a whole.

#[tokio::test]
async fn a_locked_user_can_do_nothing() {
    let wire = Wire::start().await;
    let (device, app) = wire.totp().await;
    let lock = format!("/api/1/users/{}/lock_user", wire.user);
    assert_eq!(wire.put(&lock, r#"{"locked_until":15}"#).await.status(), 200);
    assert_snapshot!(register(&wire, r#"{"factor_id":2}"#).await.answer(), @r#"
403 Forbidden
{"statusCode":403,"name":"ForbiddenAction","message":"You are not authorised to perform this action or access the resource"}
"#);
    assert_snapshot!(challenge(&wire, &device).await.answer(), @r#"
429 Too Many Requests
retry-after: 900
{"statusCode":429,"name":"TooManyRequestsError","message":"Rate limit exceeded"}
"#);
    let right = otp_of(&app.code(wire.server.now()), &device);
    assert_snapshot!(wire.post("2/verifications", &right).await.answer(), @r#"
401 Unauthorized
retry-after: 900
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
}

// Both versions are doors to one house.

#[tokio::test]
async fn a_device_enrolled_in_one_version_appears_in_the_other_once_it_is_active() {
    let wire = Wire::start().await;
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
    assert_eq!(wire.get("2/devices").await.0.text, "[]");
    let app = App::reading(&enrolled.single()["factor_data"]);
    let body = format!(r#"{{"otp_token":"{}"}}"#, app.code(wire.server.now()));
    assert_eq!(wire.post(&format!("1/otp_devices/{}/verify", enrolled.text("id")), &body).await.status(), 200);
    assert_snapshot!(wire.get("2/devices").await.0.text, @r#"[{"device_id":"1","user_display_name":"Ben's app","type_display_name":"Authenticator","auth_factor_name":"Google Authenticator","default":true}]"#);
    wire.sms().await;
    assert_snapshot!(wire.get("1/otp_devices").await.0.text, @r#"{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":{"otp_devices":[{"type_display_name":"Google Authenticator","active":true,"user_display_name":"Ben's app","default":true,"auth_factor_name":"Google Authenticator","id":1,"needs_trigger":false},{"type_display_name":"OneLogin SMS","active":true,"user_display_name":"Ben's phone","default":false,"phone_number":"+1xxxxxx0102","auth_factor_name":"OneLogin SMS","id":2,"needs_trigger":true}]}}"#);
}

#[tokio::test]
async fn a_code_spent_on_one_door_is_spent_on_all() {
    let wire = Wire::start().await;
    let (device, app) = wire.totp().await;
    let doors = async |code: &str| {
        let id = challenge(&wire, &device).await.text("id");
        [
            wire.post(&format!("1/otp_devices/{device}/verify"), &format!(r#"{{"otp_token":"{code}"}}"#))
                .await
                .status(),
            wire.post("2/verifications", &otp_of(code, &device)).await.status(),
            answer(&wire, &id, &otp(code)).await.status(),
        ]
    };
    let code = app.code(wire.server.now());
    assert_eq!(doors(&code).await, [200, 401, 401]);
    wire.server.advance(60);
    let code = app.code(wire.server.now());
    assert_eq!(wire.post("2/verifications", &otp_of(&code, &device)).await.status(), 200);
    assert_eq!(doors(&code).await, [401, 401, 401]);
    wire.server.advance(60);
    let code = app.code(wire.server.now());
    let id = challenge(&wire, &device).await.text("id");
    assert_eq!(answer(&wire, &id, &otp(&code)).await.status(), 200);
    assert_eq!(doors(&code).await, [401, 401, 401]);
}

#[tokio::test]
async fn wrong_codes_on_one_door_lock_the_other() {
    let wire = Wire::start().await;
    let (device, app) = wire.totp().await;
    for guess in 0..5 {
        wire.server.advance(11);
        let wrong = format!("{guess}{}", &app.wrong(wire.server.now())[1..]);
        assert_eq!(wire.post("2/verifications", &otp_of(&wrong, &device)).await.status(), 401);
    }
    let right = format!(r#"{{"otp_token":"{}"}}"#, app.code(wire.server.now()));
    assert_snapshot!(wire.post(&format!("1/otp_devices/{device}/verify"), &right).await.answer(), @r#"
401 Unauthorized
retry-after: 60
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Failed authentication with this factor"}}
"#);
    let right = otp_of(&app.code(wire.server.now()), &device);
    assert_snapshot!(wire.post("2/verifications", &right).await.answer(), @r#"
401 Unauthorized
retry-after: 60
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
}

#[tokio::test]
async fn a_temporary_token_of_one_version_is_good_in_the_other() {
    let wire = Wire::start().await;
    let token = wire.post("1/mfa_token", "").await.text("mfa_token");
    assert_eq!(wire.post("2/verifications", &otp(&token)).await.status(), 200);
    let token = wire.post("2/mfa_token", "").await.text("mfa_token");
    assert_eq!(wire.post("1/otp_devices/0/verify", &format!(r#"{{"otp":"{token}"}}"#)).await.status(), 200);
}

// Names (contract 10.1).

/// What people read has the operator's name everywhere, and what clients match on stays.
#[tokio::test]
async fn a_factor_may_be_renamed_for_people() {
    let usual = countersign_onelogin::v1_auth_factor_name;
    let called = |kind: FactorKind| format!("Our {kind:?}");
    let server = || {
        let names = countersign_onelogin::FactorNames::new(FactorKind::ALL.map(|kind| (kind, called(kind))));
        let options = countersign_onelogin::DialectOptions { names, ..countersign_onelogin::DialectOptions::default() };
        Wire::start_with(Setup { options, ..Setup::default() })
    };
    // The row of a list that is of this factor: version 1 tells the number in one list and the name in the other.
    let of = |list: &serde_json::Value, kind: FactorKind| -> serde_json::Value {
        let is_its =
            |row: &&serde_json::Value| row["factor_id"] == kind.number() || row["auth_factor_name"] == usual(kind);
        list.as_array().unwrap().iter().find(is_its).unwrap().clone()
    };
    // Version 1: the list of factors, the enrolment and the name it gives the device, the list of devices, the trigger.
    let wire = server().await;
    let factors = wire.get("1/auth_factors").await.json()["data"]["auth_factors"].clone();
    for kind in FactorKind::ALL {
        let name = called(kind);
        assert_eq!(of(&factors, kind)["name"], *name);
        let body = format!(r#"{{"factor_id":{},"number":"+14155550123"}}"#, kind.number());
        let (device, enrolled) = wire.enrolled(&body).await;
        assert_eq!(
            (enrolled.text("type_display_name"), enrolled.text("user_display_name")),
            (name.clone(), name.clone())
        );
        assert_eq!(enrolled.text("auth_factor_name"), usual(kind));
        let devices = wire.get("1/otp_devices").await.json()["data"]["otp_devices"].clone();
        assert_eq!(of(&devices, kind)["type_display_name"], *name);
        if kind == FactorKind::Push {
            wire.dev("/dev/phone/pair", &enrolled.0.text).await;
        }
        let triggered = wire.post(&format!("1/otp_devices/{device}/trigger"), "").await;
        assert_eq!(
            (triggered.text("type_display_name"), triggered.text("auth_factor_name")),
            (name, usual(kind).to_owned())
        );
    }
    let devices = wire.get("2/devices").await.json();
    assert_eq!(devices[0]["type_display_name"], *called(FactorKind::Push));
    assert_eq!(devices[0]["auth_factor_name"], "OneLogin");
    // Version 2: the list of factors, the registration, the list of devices, the challenge.
    let wire = server().await;
    let factors = wire.get("2/factors").await.json();
    for kind in FactorKind::ALL {
        let name = called(kind);
        let offered = factors.as_array().unwrap().iter().find(|row| row["factor_id"] == kind.number()).unwrap();
        assert_eq!(offered["name"], *name);
        let started = register(&wire, &format!(r#"{{"factor_id":{}}}"#, kind.number())).await;
        assert_eq!((started.text("type_display_name"), started.text("user_display_name")), (name.clone(), name));
        assert_eq!(started.text("auth_factor_name"), offered["auth_factor_name"]);
    }
    let (sms, (totp, _)) = (wire.sms().await, wire.totp().await);
    for (device, kind, usual) in [(sms, FactorKind::Sms, "SMS"), (totp, FactorKind::Totp, "Google Authenticator")] {
        let name = called(kind);
        let devices = wire.get("2/devices").await.json();
        let listed = devices.as_array().unwrap().iter().find(|row| row["device_id"] == *device).unwrap();
        assert_eq!((&listed["type_display_name"], &listed["auth_factor_name"]), (&name.clone().into(), &usual.into()));
        let opened = challenge(&wire, &device).await;
        assert_eq!((opened.text("type_display_name"), opened.text("auth_factor_name")), (name, usual.to_owned()));
    }
    // Log-ins tell the type of a device, which clients choose by.
    let user = wire.server.user(1);
    let body =
        serde_json::json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" });
    let under_way = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/auth", &body.to_string()).await;
    let types: Vec<_> =
        under_way.single()["devices"].as_array().unwrap().iter().map(|row| row["device_type"].clone()).collect();
    assert_eq!(types, ["OneLogin SMS", "Google Authenticator"]);
}

/// White space around a device's name is removed, and an invisible name counts as absent.
#[tokio::test]
async fn a_devices_name_shows_something() {
    let wire = Wire::start().await;
    for (typed, shown) in [
        (" Ben's phone\u{3000}", Some("Ben's phone")),
        ("\u{1f4f1}", Some("\u{1f4f1}")),
        ("\u{a0}\u{2003}", None),
        ("\u{200b}", None),
        ("\u{ad} \u{2060}", None),
    ] {
        let body = serde_json::json!({ "factor_id": 5, "display_name": typed }).to_string();
        let (_, enrolled) = wire.enrolled(&body).await;
        assert_eq!(enrolled.text("user_display_name"), shown.unwrap_or("Google Authenticator"), "{typed:?}");
        let started = register(&wire, &body).await;
        assert_eq!(started.text("user_display_name"), shown.unwrap_or("Authenticator"), "{typed:?}");
    }
}

// Profiles (contract 15).

/// Contract 14.1: ids of devices are texts, and a number in one answer of one profile.
#[tokio::test]
async fn python_sdk_4_reads_a_number_in_one_place() {
    let wire = Wire::start().await.speaking(CompatProfile::Python4);
    let device = wire.sms().await;
    assert_snapshot!(challenge(&wire, &device).await.answer(), @r#"
201 Created
{"id":"<uuid>","status":"pending","user_id":"2","device_id":1,"user_display_name":"Ben's phone","type_display_name":"OneLogin SMS","auth_factor_name":"SMS","expires_at":"2026-03-01T09:32:00Z"}
"#);
    assert!(wire.get("2/devices").await.single()["device_id"].is_string());
    assert_eq!(wire.post("2/mfa_token", "").await.status(), 201);
}

/// Contract 14.2: some SDKs take the id of a verification for a number.
#[tokio::test]
async fn numeric_ids_are_digits_of_31_bits() {
    let wire = Wire::start().await.speaking(CompatProfile::NumericIds);
    let (registration_id, code) = registered(&wire, 2, "sms").await;
    let device = confirm(&wire, &registration_id, &otp(&code)).await.text("device_id");
    let (id, code) = challenged(&wire, &device, "sms").await;
    for id in [&registration_id, &id] {
        assert!(id.parse::<i32>().is_ok_and(|id| id > 0), "{id}");
    }
    let told = answer(&wire, &id, &otp(&code)).await;
    assert_eq!(told.text("id"), id);
    assert_eq!(verification(&wire, &id).await.single()["status"], "accepted");
    assert_eq!(registration(&wire, &registration_id).await.single()["status"], "accepted");
    let trusted = register(&wire, r#"{"factor_id":4,"verified":true}"#).await.text("id");
    assert!(trusted.parse::<i32>().is_ok_and(|id| id > 0), "{trusted}");
}

/// Contract 14.3: samples show single results in an array.
#[tokio::test]
async fn single_results_to_the_letter_are_arrays_of_one() {
    let wire = Wire::start().await.speaking(CompatProfile::DocsLiteral);
    let (told, code) = wire.sent("sms", register(&wire, r#"{"factor_id":2}"#)).await;
    assert_snapshot!(told.answer(), @r#"
201 Created
[{"id":"<uuid>","status":"pending","user_id":"2","auth_factor_name":"SMS","type_display_name":"OneLogin SMS","user_display_name":"OneLogin SMS","expires_at":"2026-03-01T09:32:00Z"}]
"#);
    let id = told.text("id");
    assert_snapshot!(registration(&wire, &id).await.answer(), @r#"
200 OK
[{"id":"<uuid>","status":"pending"}]
"#);
    let done = confirm(&wire, &id, &otp(&code)).await;
    assert_snapshot!(done.answer(), @r#"
200 OK
[{"id":"<uuid>","status":"accepted","device_id":"1"}]
"#);
    let (told, code) = wire.sent("sms", challenge(&wire, &done.text("device_id"))).await;
    assert_snapshot!(told.answer(), @r#"
201 Created
[{"id":"<uuid>","status":"pending","user_id":"2","device_id":"1","user_display_name":"OneLogin SMS","type_display_name":"OneLogin SMS","auth_factor_name":"SMS","expires_at":"2026-03-01T09:32:00Z"}]
"#);
    let id = told.text("id");
    assert_snapshot!(verification(&wire, &id).await.answer(), @r#"
200 OK
[{"id":"<uuid>","status":"pending","device_id":"1"}]
"#);
    assert_snapshot!(answer(&wire, &id, &otp(&code)).await.answer(), @r#"
200 OK
[{"id":"<uuid>","status":"accepted","device_id":"1","type":"success","code":200,"message":"Success","error":false,"name":"Success"}]
"#);
    let (_, code) = challenged(&wire, &done.text("device_id"), "sms").await;
    assert_snapshot!(wire.post("2/verifications", &otp(&code)).await.answer(), @r#"
200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success","data":[{"id":"<uuid>","status":"accepted","device_id":"1"}]}
"#);
}
