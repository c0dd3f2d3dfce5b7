//! Replay of pam-onelogin of 2022 (C); base URL by name override (`<subdomain>.onelogin.com`).
//!
//! Two credentials, as its documentation asks: one that reads users and one that only authenticates, which verifies the
//! code too. `client_id:…,client_secret:…` without a space, `bearer` in lower case; every answer is searched as bytes for
//! `"key":"value"`, so it must be compact. A code is right only if `"status":"accepted"` is found.
//! Cannot: verify a code without the password (`disable_user_password_verification`): the credential that only authenticates verifies over version 2 for a user whom it is logging in. Give it one that manages users instead.

use serde_json::json;

use crate::caller::{Client, Habits, at_the_phone, authenticator, phone, without_space, words};
use crate::wire::Wire;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: without_space, bearer: "bearer ", headers: &[] };

/// The text between `"key":"` and the next quotation mark, wherever it comes first.
fn found<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("\"{key}\":\""))?.1;
    Some(rest.split_once('"')?.0)
}

#[tokio::test]
async fn oauth_tokens_are_found_in_the_bytes() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    let told = client.as_itself("POST", HABITS.token_path, r#"{"grant_type": "client_credentials"}"#).await;
    assert_eq!(found(&told.0.text, "access_token"), Some(client.token()));
}

#[tokio::test]
async fn login_is_right_where_the_type_is_success() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let mut body = words(&wire);
    assert_eq!(found(&client.post("/api/1/login/auth", &body).await.0.text, "type"), Some("success"));
    body["password"] = "not it".into();
    assert_ne!(found(&client.post("/api/1/login/auth", &body).await.0.text, "type"), Some("success"));
}

/// The credential that only authenticates, after it has verified the password.
async fn logged_in(wire: &Wire) -> Client<'_> {
    let client = Client::recommended(wire, file!(), "login", HABITS).await;
    assert_eq!(found(&client.post("/api/1/login/auth", &words(wire)).await.0.text, "type"), Some("success"));
    client
}

#[tokio::test]
async fn mfa_v2_a_code_is_right_where_the_status_is_accepted() {
    let wire = Wire::start().await;
    let (_, app) = authenticator(&wire).await;
    let client = logged_in(&wire).await;
    let reader = Client::recommended(&wire, file!(), "users", HABITS).await;
    let listed = reader.get(&format!("/api/2/mfa/users/{}/devices", wire.user)).await;
    let device = found(&listed.0.text, "device_id").expect("a device").to_owned();
    let path = format!("/api/2/mfa/users/{}/verifications", wire.user);
    let body = |code: &str| format!(r#"{{ "otp" : "{code}", "device_id" : "{device}"}}"#);
    let wrong = client.call("POST", &path, &body(&app.wrong(wire.server.now()))).await;
    assert_ne!(found(&wrong.0.text, "status"), Some("accepted"));
    let right = client.call("POST", &path, &body(&app.code(wire.server.now()))).await;
    assert_eq!(found(&right.0.text, "status"), Some("accepted"), "{right}");
}

#[tokio::test]
async fn mfa_v2_a_push_is_polled_every_two_seconds() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let client = logged_in(&wire).await;
    let path = format!("/api/2/mfa/users/{}/verifications", wire.user);
    let put = client.post(&path, &json!({ "device_id": device })).await;
    let id = found(&put.0.text, "id").expect("an id").to_owned();
    let poll = async || client.get(&format!("{path}/{id}")).await;
    for _ in 0..3 {
        assert_eq!(found(&poll().await.0.text, "status"), Some("pending"));
        wire.server.advance(2);
    }
    at_the_phone(&wire, "accept").await;
    assert_eq!(found(&poll().await.0.text, "status"), Some("accepted"));
}

#[tokio::test]
async fn users_of_a_role_are_looked_for() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let told = client.get(&format!("/api/2/users/{}", wire.user)).await;
    assert_eq!(told.status(), 200, "{told}");
}
