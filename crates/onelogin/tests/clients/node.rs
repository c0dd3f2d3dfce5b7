//! Replay of onelogin-node-sdk 4.0.0 (Node.js); base URL (`basePath`).
//!
//! Its callers write the `Authorization` header themselves, so every spelling of the documentation is met here. It
//! posts verifications to a path that ends with a slash.

use serde_json::json;

use crate::caller::{As, Client, Habits, authenticator, data, documented, message, reads, words};
use crate::wire::Wire;

/// As the documentation's samples write it.
const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "bearer:", headers: &[] };

#[tokio::test]
async fn oauth_in_every_spelling_of_the_samples() {
    let wire = Wire::start().await;
    for bearer in ["bearer:", "bearer: ", "Bearer ", "bearer "] {
        let client = Client::recommended(&wire, file!(), "oauth", Habits { bearer, ..HABITS }).await;
        assert_eq!(client.get("/auth/rate_limit").await.status(), 200, "{bearer}");
    }
}

#[tokio::test]
async fn mfa_v1_tokens_by_its_own_method() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v1", HABITS).await;
    let told = client
        .post(&format!("/api/1/users/{}/mfa_token", wire.user), &json!({ "expires_in": "600", "reusable": false }))
        .await;
    reads(
        &told.json(),
        &[("mfa_token", As::Text), ("reusable", As::Bool), ("expires_at", As::Text), ("device_id", As::Text)],
    );
}

#[tokio::test]
async fn mfa_v2_over_a_path_with_a_slash() {
    let wire = Wire::start().await;
    let (device, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let path = format!("/api/2/mfa/users/{}/verifications/", wire.user);
    let challenged = client.post(&path, &json!({ "device_id": device })).await;
    assert_eq!(challenged.status(), 201, "{challenged}");
    let answer = json!({ "otp": app.code(wire.server.now()), "device_id": device });
    let done = client.put(&format!("{path}{}", challenged.text("id")), &answer).await;
    assert_eq!(done.json()["status"], "accepted");
}

#[tokio::test]
async fn login_without_a_factor() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let told = client.post("/api/1/login/auth", &words(&wire)).await;
    assert_eq!((message(&told).as_str(), data(&told)[0]["status"].as_str()), ("Success", Some("Authenticated")));
}
