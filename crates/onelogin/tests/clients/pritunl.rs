//! Replay of Pritunl of 2026-08 (Python); name override.
//! Cannot: be limited to an application: `users/{id}/apps` is empty here, so leave `sso_onelogin_app_id` unset.
//!
//! A VPN server. The older token address, `bearer:` without a space, users by name, and a phone that is asked twice a
//! second while the message holds `Authentication pending`.

use domain::Scope;
use serde_json::{Value, json};

use crate::caller::{Client, Habits, at_the_phone, data, documented, phone, recommended};
use crate::wire::Wire;

const HABITS: Habits = Habits {
    token_path: "/auth/oauth2/token",
    credentials: documented,
    bearer: "bearer:",
    headers: &[("x-forwarded-for", "192.0.2.9")],
};

async fn user(client: &Client<'_>) -> Value {
    data(&client.get("/api/1/users?username=ben").await)[0].clone()
}

#[tokio::test]
async fn oauth_at_the_older_address() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    assert!(client.granted["data"][0]["access_token"].is_string());
}

#[tokio::test]
async fn users_by_name_are_active_or_not() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let ben = user(&client).await;
    assert_eq!((&ben["id"], &ben["status"]), (&json!(wire.user), &json!(1)));
    assert_eq!(data(&client.get("/api/1/users?username=nobody").await), json!([]));
    assert_eq!(data(&client.get(&format!("/api/1/users/{}/apps", wire.user)).await), json!([[]]));
}

#[tokio::test]
async fn mfa_v1_asks_the_phone_until_it_answers() {
    // What its documentation asks for, and what is enough here.
    for (scope, answer, end) in [
        (recommended(file!(), "mfa_v1"), "accept", 200),
        (recommended(file!(), "mfa_v1"), "deny", 401),
        (Scope::ReadUsers, "accept", 200),
    ] {
        let wire = Wire::start().await;
        let device = phone(&wire).await;
        let client = Client::connect(&wire, scope, HABITS).await;
        let path = format!("/api/1/users/{}/otp_devices", user(&client).await["id"]);
        let devices = data(&client.get(&path).await)["otp_devices"].clone();
        // It takes keys that must be there, and matches the name.
        assert_eq!(
            (&devices[0]["auth_factor_name"], &devices[0]["default"]),
            (&json!("OneLogin Protect"), &json!(true))
        );
        assert_eq!((&devices[0]["id"], &devices[0]["needs_trigger"]), (&json!(device), &json!(true)));
        let trigger = client.post(&format!("{path}/{device}/trigger"), &json!({ "ipaddr": "192.0.2.9" })).await;
        let state_token = data(&trigger)[0]["state_token"].clone();
        let verify = json!({ "state_token": state_token, "otp_token": null });
        for _ in 0..5 {
            let told = client.post(&format!("{path}/{device}/verify"), &verify).await;
            let status = told.json()["status"].clone();
            assert_eq!(told.status(), 401, "contract 14.9");
            assert!(status["message"].as_str().is_some_and(|words| words.contains("Authentication pending")), "{told}");
        }
        at_the_phone(&wire, answer).await;
        let told = client.post(&format!("{path}/{device}/verify"), &verify).await;
        let status = told.json()["status"].clone();
        assert_eq!(told.status(), end);
        assert!(!status["message"].as_str().is_some_and(|words| words.contains("Authentication pending")), "{told}");
        assert_eq!(status["type"] == "success", answer == "accept");
    }
}
