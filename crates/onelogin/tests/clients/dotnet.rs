//! Replay of onelogin-dotnet-sdk of 2025-04 (.NET); base URL (`api_domain`, `https`).
//! Cannot: read `PUT verifications/{id}` as a success: its model wants `status` as an object there, the Java SDK wants the word `accepted` (contract 14.4). The code counts all the same; use its `VerifySMSEmailAuthenticatorFactorPost`.
//!
//! Slashes at the end of the token paths, `saml-assertions`, ids of verifications as numbers, and a reader of JSON
//! that throws at every other type. An error's `status` it reads as a number.

use countersign_onelogin::CompatProfile;
use serde_json::{Value, json};

use crate::caller::{As, Client, Habits, authenticator, basic, data, is_assertion, reads, telephone, words, words_for};
use crate::wire::{App, Told, Wire};

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token/", credentials: basic, bearer: "Bearer ", headers: &[] };

fn mfa(wire: &Wire, rest: &str) -> String {
    format!("/api/2/mfa/users/{}/{rest}", wire.user)
}

/// What its converter of errors takes.
fn is_readable_error(told: &Told) {
    let json = told.json();
    reads(&json, &[("message", As::Text), ("statusCode", As::Integer), ("name", As::MaybeText)]);
    assert!(json.get("status").is_none_or(Value::is_i64), "read as a number: {told}");
}

#[tokio::test]
async fn oauth_paths_end_with_a_slash() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    reads(&client.granted, &[("created_at", As::Text), ("expires_in", As::Integer), ("account_id", As::Integer)]);
    let revoke = json!({ "access_token": client.token() }).to_string();
    let revoked = client.as_itself("POST", "/auth/oauth2/revoke/", &revoke).await;
    reads(&revoked.json(), &[("status", As::Object)]);
}

#[tokio::test]
async fn users_have_dates_where_none_may_be_missing() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let user = client.get(&format!("/api/2/users/{}", wire.user)).await.json();
    reads(
        &user,
        &[
            ("id", As::Integer),
            ("status", As::Integer),
            ("created_at", As::Text),
            ("updated_at", As::Text),
            ("directory_id", As::MaybeText),
            ("manager_user_id", As::MaybeText),
        ],
    );
    is_readable_error(&client.get("/api/2/users/2000000000").await);
}

#[tokio::test]
async fn mfa_v2_with_numbers_for_ids() {
    let wire = Wire::start().await;
    let client = Client::speaking(&wire, (file!(), "mfa_v2"), CompatProfile::NumericIds, HABITS).await;
    let factors = client.get(&mfa(&wire, "factors")).await.json();
    reads(&factors[0], &[("factor_id", As::Integer), ("name", As::Text), ("auth_factor_name", As::Text)]);
    let enrol = json!({ "factor_id": 5, "display_name": "Ben's app", "expires_in": "120", "verified": false });
    let begun = client.post(&mfa(&wire, "registrations"), &enrol).await.json();
    reads(
        &begun,
        &[("id", As::Text), ("status", As::Text), ("auth_factor_name", As::Text), ("factor_data", As::Object)],
    );
    assert!(begun.get("expires_at").is_none_or(Value::is_string), "a date or nothing, never null");
    // `VerifyEnrollment…(int userId, int registrationid, int otp)`
    let id: i32 = begun["id"].as_str().and_then(|id| id.parse().ok()).expect("a number of 31 bits");
    let otp: i64 = App::reading(&begun["factor_data"]).code(wire.server.now()).parse().expect("digits");
    let done = client.put(&mfa(&wire, &format!("registrations/{id}")), &json!({ "otp": otp })).await.json();
    reads(&done, &[("id", As::Text), ("status", As::Text), ("device_id", As::Text)]);
    let devices = client.get(&mfa(&wire, "devices")).await.json();
    reads(
        &devices[0],
        &[
            ("device_id", As::Text),
            ("default", As::Bool),
            ("type_display_name", As::Text),
            ("user_display_name", As::Text),
        ],
    );
}

#[tokio::test]
async fn mfa_v2_is_verified_without_an_id() {
    let wire = Wire::start().await;
    let (device, app) = authenticator(&wire).await;
    let client = Client::speaking(&wire, (file!(), "mfa_v2"), CompatProfile::NumericIds, HABITS).await;
    let challenged =
        client.post(&mfa(&wire, "verifications"), &json!({ "device_id": device, "expires_in": 120 })).await.json();
    reads(&challenged, &[("device_id", As::Text), ("auth_factor_name", As::Text)]);
    let wrong = json!({ "device_id": device.to_string(), "otp": app.wrong(wire.server.now()) });
    let refused = client.post(&mfa(&wire, "verifications"), &wrong).await;
    assert_eq!(refused.status(), 401);
    is_readable_error(&refused);
    let right = json!({ "device_id": device.to_string(), "otp": app.code(wire.server.now()) });
    let accepted = client.post(&mfa(&wire, "verifications"), &right).await;
    assert_eq!(accepted.status(), 200, "{accepted}");
    reads(
        &accepted.json()["status"],
        &[("error", As::Bool), ("code", As::Integer), ("type", As::Text), ("message", As::Text)],
    );
    assert_eq!(client.call("DELETE", &mfa(&wire, &format!("devices/{device}")), "").await.status(), 204);
}

#[tokio::test]
async fn mfa_v2_put_counts_although_it_cannot_be_read() {
    let wire = Wire::start().await;
    let (device, app) = authenticator(&wire).await;
    let client = Client::speaking(&wire, (file!(), "mfa_v2"), CompatProfile::NumericIds, HABITS).await;
    let id =
        client.post(&mfa(&wire, "verifications"), &json!({ "device_id": device, "expires_in": 120 })).await.text("id");
    let path = mfa(&wire, &format!("verifications/{}", id.parse::<i32>().expect("a number of 31 bits")));
    let right = json!({ "device_id": device.to_string(), "otp": app.code(wire.server.now()) });
    let told = client.put(&path, &right).await;
    assert_eq!((told.status(), &told.json()["status"]), (200, &json!("accepted")));
    // What its poll reads afterwards.
    reads(&client.get(&path).await.json(), &[("id", As::Text), ("status", As::Text), ("device_id", As::Text)]);
}

#[tokio::test]
async fn mfa_v2_tokens_are_read() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let told = client.post(&mfa(&wire, "mfa_token"), &json!({ "expires_in": 259_200, "reusable": false })).await;
    reads(
        &told.json(),
        &[("mfa_token", As::Text), ("reusable", As::Bool), ("expires_at", As::Text), ("device_id", As::Text)],
    );
    is_readable_error(&client.post(&mfa(&wire, "mfa_token"), &json!({ "expires_in": 1, "reusable": false })).await);
}

#[tokio::test]
async fn login_has_whole_numbers() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let told = client.post("/api/1/login/auth", &words(&wire)).await;
    let under_way = data(&told)[0].clone();
    reads(
        &under_way,
        &[("state_token", As::Text), ("callback_url", As::Text), ("devices", As::List), ("user", As::Object)],
    );
    reads(&under_way["devices"][0], &[("device_type", As::Text), ("device_id", As::Integer)]);
    reads(&under_way["user"], &[("id", As::Integer), ("username", As::Text)]);
    let mut step =
        json!({ "device_id": device.to_string(), "state_token": under_way["state_token"], "do_not_notify": false });
    let (_, code) = wire.sent("sms", client.post("/api/1/login/verify_factor", &step)).await;
    step["otp_token"] = code.into();
    let session = data(&client.post("/api/1/login/verify_factor", &step).await)[0].clone();
    reads(
        &session,
        &[
            ("status", As::Text),
            ("expires_at", As::Text),
            ("return_to_url", As::MaybeText),
            ("session_token", As::Text),
        ],
    );
}

#[tokio::test]
async fn saml_v2_by_its_own_path() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = client.post("/api/2/saml-assertions", &words_for(&wire, json!(1))).await.json();
    reads(
        &asked,
        &[
            ("data", As::MaybeText),
            ("message", As::Text),
            ("state_token", As::Text),
            ("callback_url", As::Text),
            ("devices", As::List),
        ],
    );
    let mut step = json!({ "app_id": "1", "device_id": device.to_string(), "state_token": asked["state_token"], "do_not_notify": false });
    let (_, code) = wire.sent("sms", client.post("/api/2/saml-assertions/verify_factor", &step)).await;
    step["otp_token"] = code.into();
    let done = client.post("/api/2/saml-assertions/verify_factor", &step).await.json();
    assert!(is_assertion(&done["data"]), "{done}");
    let mut wrong = words_for(&wire, json!(1));
    wrong["password"] = "not it".into();
    is_readable_error(&client.post("/api/2/saml-assertions", &wrong).await);
}

#[tokio::test]
async fn smart_answers_are_read_and_an_empty_object_too() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "smart", HABITS).await;
    let visit = json!({
        "user_identifier": "zoe", "email": "zoe@example.com", "risk_threshold": 50, "expires_in": 480,
        "context": { "user_agent": "x", "ip": "192.0.2.1" }
    });
    let (told, code) = wire.sent("email", client.post("/api/2/smart-mfa", &visit)).await;
    reads(&told.json(), &[("user_id", As::Integer), ("risk", As::Object), ("mfa", As::Object)]);
    reads(&told.json()["risk"], &[("score", As::Integer), ("reasons", As::List)]);
    reads(&told.json()["mfa"], &[("otp_sent", As::Bool), ("state_token", As::Text)]);
    let answer = json!({ "state_token": told.json()["mfa"]["state_token"], "otp_token": code });
    let done = client.post("/api/2/smart-mfa/verify", &answer).await;
    assert_eq!((done.status(), done.json()), (200, json!({})));
}
