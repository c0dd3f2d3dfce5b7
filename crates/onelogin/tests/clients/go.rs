//! Replay of onelogin-go-sdk 4.7.0 (Go); name override (`ONELOGIN_SUBDOMAIN`).
//!
//! Version 2, and log-in. Its methods take ids of verifications as numbers, its filter of paths lets letters and digits
//! through, and it answers every 401 with a new token and the same request again.

use countersign_onelogin::CompatProfile;
use serde_json::{Value, json};

use crate::caller::{
    Client, Habits, at_the_phone, authenticator, basic, data, is_assertion, message, phone, telephone, words, words_for,
};
use crate::wire::{App, Told, Wire};

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: basic, bearer: "Bearer ", headers: &[] };

fn mfa(wire: &Wire, rest: &str) -> String {
    format!("/api/2/mfa/users/{}/{rest}", wire.user)
}

/// Sends as it sends: once more, with a new token, where the first answer is 401.
async fn insisting(client: &mut Client<'_>, method: &str, path: &str, body: &Value) -> Told {
    let told = client.call(method, path, &body.to_string()).await;
    if told.status() != 401 {
        return told;
    }
    client.take_token().await;
    client.call(method, path, &body.to_string()).await
}

#[tokio::test]
async fn oauth_by_basic_credentials() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    let revoke = json!({ "access_token": client.token() }).to_string();
    assert_eq!(client.as_itself("POST", "/auth/oauth2/revoke", &revoke).await.status(), 200);
}

#[tokio::test]
async fn users_are_listed_and_made() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    assert!(client.get("/api/2/users").await.json().is_array());
    let made = client.post("/api/2/users", &json!({ "username": "nia", "email": "nia@example.com" })).await;
    assert_eq!(made.status(), 201);
    assert_eq!(client.call("DELETE", &format!("/api/2/users/{}", made.json()["id"]), "").await.status(), 204);
}

#[tokio::test]
async fn mfa_v2_enrols_with_a_number_for_a_code() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let begun = client
        .post(&mfa(&wire, "registrations"), &json!({ "factor_id": 5, "display_name": "Ben", "expires_in": "120" }))
        .await;
    let code = App::reading(&begun.json()["factor_data"]).code(wire.server.now());
    // `OTP int`: what began with a zero has lost it.
    let otp: i64 = code.parse().expect("digits");
    let done = client.put(&mfa(&wire, &format!("registrations/{}", begun.text("id"))), &json!({ "otp": otp })).await;
    let device = done.text("device_id");
    assert!(device.bytes().all(|byte| byte.is_ascii_alphanumeric()), "its filter of paths: {device}");
    assert!(device.parse::<i32>().is_ok(), "`RemoveMFAFactor(userID, deviceID int)`");
}

#[tokio::test]
async fn mfa_v2_verifies_by_a_number_for_an_id() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let mut client = Client::speaking(&wire, (file!(), "mfa_v2"), CompatProfile::NumericIds, HABITS).await;
    let challenge = json!({ "device_id": device, "expires_in": 120 });
    let (challenged, code) = wire.sent("sms", client.post(&mfa(&wire, "verifications"), &challenge)).await;
    let id: i32 = challenged.text("id").parse().expect("a number of 31 bits");
    let path = mfa(&wire, &format!("verifications/{id}"));
    // Four wrong codes, each sent twice, are four failures: a fifth may still be right.
    for wrong in ["000000", "111111", "222222", "333333"] {
        assert_eq!(
            insisting(&mut client, "PUT", &path, &json!({ "otp": wrong, "device_id": device })).await.status(),
            401
        );
    }
    let right = insisting(&mut client, "PUT", &path, &json!({ "otp": code, "device_id": device })).await;
    assert_eq!(right.status(), 200, "contract 4.5: doubled attempts count once: {right}");
}

#[tokio::test]
async fn mfa_v2_sends_code_and_device_in_one() {
    let wire = Wire::start().await;
    let (device, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    // `ActivateFactorRequest` holds both; the code decides what is meant (contract 7.8).
    let body = json!({ "device_id": device, "otp": app.code(wire.server.now()) });
    assert_eq!(client.post(&mfa(&wire, "verifications"), &body).await.status(), 200);
}

#[tokio::test]
async fn mfa_v2_polls_a_push_and_issues_a_token() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let client = Client::speaking(&wire, (file!(), "mfa_v2"), CompatProfile::NumericIds, HABITS).await;
    let id = client.post(&mfa(&wire, "verifications"), &json!({ "device_id": device })).await.text("id");
    at_the_phone(&wire, "deny").await;
    assert_eq!(client.get(&mfa(&wire, &format!("verifications/{id}"))).await.json()["status"], "rejected");
    assert_eq!(client.post(&mfa(&wire, "mfa_token"), &json!({ "expires_in": 600 })).await.status(), 201);
}

#[tokio::test]
async fn login_by_text_message() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let told = client.post("/api/1/login/auth", &words(&wire)).await;
    let mut step = json!({ "device_id": device.to_string(), "state_token": data(&told)[0]["state_token"] });
    let (_, code) = wire.sent("sms", client.post("/api/1/login/verify_factor", &step)).await;
    step["otp_token"] = code.into();
    assert_eq!(message(&client.post("/api/1/login/verify_factor", &step).await), "Success");
}

#[tokio::test]
async fn saml_v2_without_a_factor() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let told = client.post("/api/2/saml_assertion", &words_for(&wire, json!("1"))).await;
    assert!(is_assertion(&told.json()["data"]), "{told}");
}
