//! Replay of onelogin-php-sdk 1.8.2 (PHP); name override.
//!
//! Version 1 only. It parses dates by fixed patterns, posts nothing where it has nothing to say, and takes any 2xx.

use serde_json::json;

use crate::caller::{
    Client, Habits, at_the_phone, data, documented, is_assertion, message, phone, telephone, text, words, words_for,
};
use crate::wire::Wire;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "bearer ", headers: &[] };
/// Older versions send the header without a value.
const NO_ORIGIN: &[(&str, &str)] = &[("custom-allowed-origin-header-1", "")];

/// Whether a text matches a pattern: `0` matches a digit, everything else for itself.
fn is_like(text: &str, pattern: &str) -> bool {
    let fits = |(is, like): (char, char)| if like == '0' { is.is_ascii_digit() } else { is == like };
    text.len() == pattern.len() && text.chars().zip(pattern.chars()).all(fits)
}

#[tokio::test]
async fn oauth_tokens_have_dates_that_it_can_parse() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    // `Y-m-d\TH:i:s+`: a plain date, whatever follows the seconds.
    assert!(is_like(&text(&client.granted, "created_at")[..19], "0000-00-00T00:00:00"));
    assert!(client.granted["refresh_token"].is_string(), "it reads the refresh token without asking");
    let limits = data(&client.get("/auth/rate_limit").await);
    assert!(
        ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"].iter().all(|name| limits[name].is_i64())
    );
}

#[tokio::test]
async fn users_are_created_changed_and_deleted() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let user = json!({ "username": "nia", "email": "nia@example.com", "firstname": "Nia", "lastname": "Ito" });
    let made = data(&client.post("/api/1/users", &user).await)[0].clone();
    let path = format!("/api/1/users/{}", made["id"]);
    assert_eq!(data(&client.put(&path, &json!({ "title": "Auditor" })).await)[0]["title"], "Auditor");
    let locked = client.put(&format!("{path}/lock_user"), &json!({ "locked_until": 15 })).await;
    assert_eq!(locked.json()["status"]["type"], "success");
    let gone = client.call("DELETE", &path, "").await;
    assert_eq!((gone.status(), gone.json()["status"]["type"].as_str()), (200, Some("success")));
}

#[tokio::test]
async fn mfa_v1_with_empty_bodies() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "mfa_v1", HABITS).await;
    let path = format!("/api/1/users/{}/otp_devices", wire.user);
    let listed = data(&client.get(&path).await);
    assert_eq!((&listed["otp_devices"][0]["id"], &listed["otp_devices"][0]["default"]), (&json!(device), &json!(true)));
    let challenge = data(&client.call("POST", &format!("{path}/{device}/trigger"), "").await)[0].clone();
    assert!(challenge["default"].is_boolean(), "it reads `default` of a challenge");
    let verify = format!("{path}/{device}/verify");
    // Nothing to say is a request without a body; the server cannot know which challenge is meant.
    let told = client.call("POST", &verify, "").await;
    assert_eq!((told.status(), message(&told).as_str()), (400, "state_token is empty"));
    let poll = json!({ "state_token": challenge["state_token"] });
    assert_eq!(client.post(&verify, &poll).await.status(), 401);
    at_the_phone(&wire, "accept").await;
    assert_eq!(client.post(&verify, &poll).await.json()["status"]["type"], "success");
    let token = client
        .post(&format!("/api/1/users/{}/mfa_token", wire.user), &json!({ "expires_in": 259_200, "reusable": false }))
        .await;
    assert!(matches!(token.status(), 200..=299) && token.json()["mfa_token"].is_string());
}

#[tokio::test]
async fn login_ends_with_a_date_that_it_can_parse() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let told = client.call_with("POST", "/api/1/login/auth", &words(&wire).to_string(), NO_ORIGIN).await;
    assert_eq!(message(&told), "MFA is required for this user");
    let mut step = json!({ "device_id": device.to_string(), "state_token": data(&told)[0]["state_token"], "do_not_notify": false });
    let path = "/api/1/login/verify_factor";
    let (_, code) = wire.sent("sms", client.call_with("POST", path, &step.to_string(), NO_ORIGIN)).await;
    step["otp_token"] = code.into();
    let session = data(&client.call_with("POST", path, &step.to_string(), NO_ORIGIN).await)[0].clone();
    // `Y/m/d H:i:s O`, and nothing else.
    assert!(is_like(&text(&session, "expires_at"), "0000/00/00 00:00:00 +0000"), "{session}");
}

#[tokio::test]
async fn saml_v1_without_a_factor() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let told = client.post("/api/1/saml_assertion", &words_for(&wire, json!(1))).await;
    assert_eq!((message(&told).as_str(), is_assertion(&data(&told))), ("Success", true));
}
