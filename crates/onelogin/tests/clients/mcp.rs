//! Replay of onelogin-mcp 1.0.9; base URL.
//! Cannot: read rate limits and sessions: it asks for `/api/2/rate_limits` and `/api/2/session/…`, which the API does not have; `/auth/rate_limit` is what there is.
//!
//! OneLogin's own server for assistants. Codes are texts, sessions are made under `/api/2/login`, and every answer is
//! passed on with its request id and the place in its list.

use serde_json::json;

use crate::caller::{
    Client, Habits, at_the_phone, data, documented, is_assertion, message, phone, telephone, words, words_for,
};
use crate::wire::{App, Wire};

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "Bearer ", headers: &[] };

fn mfa(wire: &Wire, rest: &str) -> String {
    format!("/api/2/mfa/users/{}/{rest}", wire.user)
}

#[tokio::test]
async fn oauth_and_a_request_id_on_every_answer() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    assert!(client.granted["expires_in"].is_i64(), "it computes when to ask again");
    for path in ["/api/2/users", "/api/2/users/2000000000", "/api/2/nothing"] {
        let told = client.get(path).await;
        assert!(told.0.header("x-request-id").is_some_and(|id| !id.is_empty()), "{told}");
    }
}

#[tokio::test]
async fn users_are_counted_by_headers() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let told = client.get("/api/2/users?limit=2&page=1").await;
    for (name, value) in [("total-count", "3"), ("current-page", "1"), ("page-items", "2")] {
        assert_eq!(told.0.header(name), Some(value), "{name}");
    }
    assert!(told.0.header("after-cursor").is_some() && told.0.header("before-cursor").is_none());
}

#[tokio::test]
async fn mfa_v2_with_codes_as_texts() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    // No display name: the factor's own serves.
    let begun = client.post(&mfa(&wire, "registrations"), &json!({ "factor_id": 5 })).await;
    assert_eq!((begun.status(), begun.json()["user_display_name"].as_str()), (201, Some("Authenticator")));
    let app = App::reading(&begun.json()["factor_data"]);
    let path = mfa(&wire, &format!("registrations/{}", begun.text("id")));
    let device = client.put(&path, &json!({ "otp": app.code(wire.server.now()) })).await.text("device_id");
    wire.server.advance(60);
    let challenged = client.post(&mfa(&wire, "verifications"), &json!({ "device_id": device })).await;
    let path = mfa(&wire, &format!("verifications/{}", challenged.text("id")));
    assert_eq!(client.put(&path, &json!({ "otp": app.code(wire.server.now()) })).await.status(), 200);
    let token = client.post(&mfa(&wire, "mfa_token"), &json!({ "expires_in": 600, "reusable": true })).await;
    assert_eq!(token.status(), 201);
    assert_eq!(client.call("DELETE", &mfa(&wire, &format!("devices/{device}")), "").await.status(), 204);
}

#[tokio::test]
async fn mfa_v2_polls_a_push() {
    let wire = Wire::start().await;
    let device = phone(&wire).await.to_string();
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let id = client.post(&mfa(&wire, "verifications"), &json!({ "device_id": device })).await.text("id");
    let path = mfa(&wire, &format!("verifications/{id}"));
    assert_eq!(client.get(&path).await.json()["status"], "pending");
    at_the_phone(&wire, "accept").await;
    assert_eq!(client.get(&path).await.json()["status"], "accepted");
}

#[tokio::test]
async fn login_under_version_2() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let told = client.post("/api/2/login/auth", &words(&wire)).await;
    assert_eq!(message(&told), "MFA is required for this user");
    let mut step = json!({ "device_id": device.to_string(), "state_token": data(&told)[0]["state_token"] });
    let (_, code) = wire.sent("sms", client.post("/api/2/login/verify_factor", &step)).await;
    step["otp_token"] = code.into();
    assert_eq!(message(&client.post("/api/2/login/verify_factor", &step).await), "Success");
}

#[tokio::test]
async fn saml_v2_without_a_factor() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let told = client.post("/api/2/saml_assertion", &words_for(&wire, json!("1"))).await;
    assert!(is_assertion(&told.json()["data"]), "{told}");
}

#[tokio::test]
async fn events_are_listed_and_read() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "events", HABITS).await;
    let first = data(&client.get("/api/1/events?limit=1").await)[0].clone();
    assert_eq!(data(&client.get(&format!("/api/1/events/{}", first["id"])).await)[0], first);
}
