//! Replay of onelogin-ruby-sdk 1.6.0 (Ruby); name override.
//!
//! Version 1 only. No space after the comma of its credentials, an origin header without a value unless one is given,
//! no body at a trigger, its own ids once more in the body of a verification, and a temporary token only at 201.

use serde_json::{Value, json};

use crate::caller::{
    Client, Habits, at_the_phone, data, is_assertion, message, phone, telephone, text, without_space, words, words_for,
};
use crate::wire::Wire;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: without_space, bearer: "bearer ", headers: &[] };
const NO_ORIGIN: &[(&str, &str)] = &[("custom-allowed-origin-header-1", "")];

#[tokio::test]
async fn oauth_tokens_are_granted_refreshed_and_revoked() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    // A `status` in the answer is a failure to it; it adds `expires_in` to a parsed `created_at`.
    assert!(client.granted.get("status").is_none());
    assert!(client.granted["expires_in"].is_i64() && text(&client.granted, "created_at").ends_with('Z'));
    let pair = json!({ "grant_type": "refresh_token", "access_token": client.token(), "refresh_token": client.granted["refresh_token"] });
    let script = crate::wire::Script::post("/auth/oauth2/v2/token").json(&pair.to_string());
    let refreshed = wire.send(script).await.json();
    assert!(refreshed.get("status").is_none() && refreshed["access_token"] != client.granted["access_token"]);
    let revoke = json!({ "access_token": refreshed["access_token"] });
    assert_eq!(client.as_itself("POST", "/auth/oauth2/revoke", &revoke.to_string()).await.status(), 200);
}

#[tokio::test]
async fn users_are_collected_page_by_page() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let (mut seen, mut path) = (Vec::new(), "/api/1/users?limit=2".to_owned());
    loop {
        let page = client.get(&path).await.json();
        seen.extend(page["data"].as_array().expect("users").iter().map(|user| user["id"].clone()));
        let Some(after) = page["pagination"]["after_cursor"].as_str() else { break };
        path = format!("/api/1/users?limit=2&after_cursor={}", after.replace('=', "%3D"));
    }
    assert_eq!(seen, [1, 2, 3]);
}

#[tokio::test]
async fn mfa_v1_enrols_triggers_and_verifies() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v1", HABITS).await;
    let of_user = format!("/api/1/users/{}", wire.user);
    let factors = data(&client.get(&format!("{of_user}/auth_factors")).await);
    assert_eq!(factors["auth_factors"][1]["name"], "OneLogin SMS");
    let wanted = json!({ "factor_id": factors["auth_factors"][1]["factor_id"], "display_name": "Ben", "number": "+14155550123" });
    let device = data(&client.post(&format!("{of_user}/otp_devices"), &wanted).await)[0]["id"].clone();
    let path = format!("{of_user}/otp_devices/{device}");
    let trigger = format!("{path}/trigger");
    let (triggered, code) = wire.sent("sms", client.call("POST", &trigger, "")).await;
    let challenge = data(&triggered)[0].clone();
    assert_eq!((&challenge["id"], &challenge["device_id"]), (&json!(wire.user), &device));
    let answer = json!({ "user_id": wire.user, "device_id": device, "otp_token": code, "state_token": challenge["state_token"] });
    let verified = client.post(&format!("{path}/verify"), &answer).await;
    assert_eq!(verified.json()["status"]["type"], "success");
    assert_eq!(client.call("DELETE", &path, "").await.status(), 200);
}

#[tokio::test]
async fn mfa_v1_tokens_are_read_at_201_only() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v1", HABITS).await;
    let path = format!("/api/1/users/{}/mfa_token", wire.user);
    let told = client.post(&path, &json!({ "expires_in": 259_200, "reusable": false })).await;
    assert_eq!(told.status(), 201, "contract 14.5: it returns nothing at 200");
    assert_eq!(text(&told.json(), "mfa_token").len(), 8);
}

#[tokio::test]
async fn login_asks_for_a_factor_and_takes_a_code() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let body = words(&wire).to_string();
    let told = client.call_with("POST", "/api/1/login/auth", &body, NO_ORIGIN).await;
    assert_eq!(message(&told), "MFA is required for this user");
    let under_way = data(&told)[0].clone();
    assert_eq!(under_way["devices"][0]["device_id"], device);
    let step = |otp: Option<&str>| {
        let mut step =
            json!({ "device_id": device.to_string(), "state_token": under_way["state_token"], "do_not_notify": false });
        if let Some(otp) = otp {
            step["otp_token"] = otp.into();
        }
        step.to_string()
    };
    let path = "/api/1/login/verify_factor";
    let (sent, code) = wire.sent("sms", client.call_with("POST", path, &step(None), NO_ORIGIN)).await;
    assert!(sent.json().get("data").is_none(), "with data it would look for a session: {sent}");
    let done = client.call_with("POST", path, &step(Some(&code)), NO_ORIGIN).await;
    assert_eq!(message(&done), "Success");
    assert_eq!(text(&data(&done)[0], "session_token").len(), 40);
}

#[tokio::test]
async fn saml_v1_by_push() {
    let wire = Wire::start().await;
    let device = phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let told = client.post("/api/1/saml_assertion", &words_for(&wire, json!("1"))).await;
    let state_token = data(&told)[0]["state_token"].clone();
    let step = |silent: bool| json!({ "app_id": "1", "device_id": device.to_string(), "state_token": state_token, "do_not_notify": silent });
    let path = "/api/1/saml_assertion/verify_factor";
    for silent in [false, true] {
        assert_eq!(client.post(path, &step(silent)).await.json()["status"]["type"], "pending");
    }
    at_the_phone(&wire, "accept").await;
    let done = client.post(path, &step(true)).await;
    assert!(is_assertion(&data(&done)), "{done}");
}

#[tokio::test]
async fn events_are_listed() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "events", HABITS).await;
    let events = data(&client.get("/api/1/events").await);
    assert!(events.as_array().is_some_and(|events| !events.is_empty()));
    assert!(data(&client.get("/api/1/events/types").await)[0]["name"].is_string());
    assert_ne!(events[0]["id"], Value::Null);
}
