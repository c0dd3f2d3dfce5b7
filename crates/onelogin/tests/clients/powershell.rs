//! Replay of OneLoginByOneIdentity of 2023-04 (PowerShell); base URL (`BaseURL`).
//!
//! One Identity's module for its Password Manager. It asks for the rate limit first, writes paths in lower case, asks
//! once a second for the fate of a prompt, and waits for the word `accepted` in every answer.

use serde_json::json;

use crate::caller::{Client, Habits, at_the_phone, authenticator, basic, data, phone, telephone, text};
use crate::wire::{App, Wire};

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: basic, bearer: "Bearer ", headers: &[] };

fn mfa(wire: &Wire, rest: &str) -> String {
    format!("/api/2/mfa/users/{}/{rest}", wire.user).to_lowercase()
}

#[tokio::test]
async fn oauth_and_the_rate_limit_first() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    assert!(data(&client.get("/auth/rate_limit").await)["X-RateLimit-Limit"].is_i64());
    let revoke = json!({ "access_token": client.token() }).to_string();
    assert_eq!(client.as_itself("POST", "/auth/oauth2/revoke", &revoke).await.status(), 200);
}

#[tokio::test]
async fn users_are_read() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let user = client.get(&format!("/api/2/users/{}", wire.user)).await.json();
    assert_eq!(user["id"], wire.user);
}

#[tokio::test]
async fn mfa_v2_registers_a_device() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let wanted = json!({ "factor_id": 5, "display_name": "Ben", "expires_in": 120, "verified": false });
    let begun = client.post(&mfa(&wire, "registrations"), &wanted).await.json();
    let code = App::reading(&begun["factor_data"]).code(wire.server.now());
    let path = mfa(&wire, &format!("registrations/{}", text(&begun, "id")));
    let done = client.put(&path, &json!({ "otp": code })).await.json();
    assert_eq!(done["status"], "accepted");
    // It looks for the device by the id that it just received.
    let devices = client.get(&mfa(&wire, "devices")).await.json();
    assert_eq!(devices[0]["device_id"], done["device_id"]);
    let trusted = json!({ "factor_id": 2, "display_name": "Ben", "expires_in": 120, "verified": true });
    assert_eq!(client.post(&mfa(&wire, "registrations"), &trusted).await.json()["status"], "accepted");
}

#[tokio::test]
async fn mfa_v2_waits_for_the_word_accepted() {
    let wire = Wire::start().await;
    let (device, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let challenged =
        client.post(&mfa(&wire, "verifications"), &json!({ "device_id": device.to_string() })).await.json();
    assert!(challenged["expires_at"].is_string(), "it compares the date");
    let path = mfa(&wire, &format!("verifications/{}", text(&challenged, "id")));
    let answer = json!({ "otp": app.code(wire.server.now()), "device_id": challenged["device_id"] });
    assert_eq!(client.put(&path, &answer).await.json()["status"], "accepted", "contract 14.4");

    let (challenged, code) = {
        let device = telephone(&wire).await;
        let body = json!({ "device_id": device.to_string() });
        wire.sent("sms", client.post(&mfa(&wire, "verifications"), &body)).await
    };
    let path = mfa(&wire, &format!("verifications/{}", challenged.text("id")));
    assert_eq!(client.put(&path, &json!({ "otp": code })).await.json()["status"], "accepted");
}

#[tokio::test]
async fn mfa_v2_asks_once_a_second() {
    let wire = Wire::start().await;
    let device = phone(&wire).await.to_string();
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let id = client.post(&mfa(&wire, "verifications"), &json!({ "device_id": device })).await.text("id");
    let path = mfa(&wire, &format!("verifications/{id}"));
    for _ in 0..10 {
        assert_eq!(client.get(&path).await.json()["status"], "pending");
        wire.server.advance(1);
    }
    at_the_phone(&wire, "accept").await;
    assert_eq!(client.get(&path).await.json()["status"], "accepted");
    let token = client.post(&mfa(&wire, "mfa_token"), &json!({ "expires_in": 120, "reusable": true })).await;
    assert_eq!(text(&token.json(), "mfa_token").len(), 8);
    assert_eq!(client.call("DELETE", &mfa(&wire, &format!("devices/{device}")), "").await.status(), 204);
}
