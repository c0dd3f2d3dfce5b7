//! Replay of openvpn-onelogin-auth 0.0.5 (Go); base URL (`ONELOGIN_URL`).
//!
//! Password and code arrive as one word; the code's form chooses the device's type. The older token address, `bearer:`
//! without a space, and only code and message of an answer matter to it.

use serde_json::{Value, json};

use crate::caller::{As, Client, Habits, at_the_phone, authenticator, documented, phone, reads, words};
use crate::wire::Wire;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/token", credentials: documented, bearer: "bearer:", headers: &[] };

fn says(told: &Value) -> (i64, String) {
    reads(&told["status"], &[("error", As::Bool), ("code", As::Integer), ("type", As::Text), ("message", As::Text)]);
    (told["status"]["code"].as_i64().unwrap_or(0), told["status"]["message"].as_str().unwrap_or_default().to_owned())
}

async fn under_way(client: &Client<'_>, device_type: &str) -> Value {
    let told = client.post("/api/1/login/auth", &words(client.wire)).await.json();
    assert_eq!(says(&told), (200, "MFA is required for this user".to_owned()));
    let devices = told["data"][0]["devices"].as_array().expect("devices").clone();
    let device = devices.iter().find(|device| device["device_type"] == device_type).expect("a device of this type");
    let number = device["device_id"].as_i64().expect("a number");
    json!({ "device_id": number.to_string(), "state_token": told["data"][0]["state_token"] })
}

#[tokio::test]
async fn oauth_at_the_older_address() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    let grant = &client.granted["data"][0];
    reads(
        grant,
        &[
            ("access_token", As::Text),
            ("refresh_token", As::Text),
            ("expires_in", As::Integer),
            ("account_id", As::Integer),
        ],
    );
}

#[tokio::test]
async fn login_by_a_code_behind_the_password() {
    let wire = Wire::start().await;
    let (_, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let mut step = under_way(&client, "Google Authenticator").await;
    step["otp_token"] = app.code(wire.server.now()).into();
    assert_eq!(says(&client.post("/api/1/login/verify_factor", &step).await.json()), (200, "Success".to_owned()));
}

#[tokio::test]
async fn login_by_push() {
    let wire = Wire::start().await;
    phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let mut step = under_way(&client, "OneLogin Protect").await;
    let (code, words) = says(&client.post("/api/1/login/verify_factor", &step).await.json());
    assert!(code == 200 && words.contains("Authentication pending"), "{words}");
    step["do_not_notify"] = true.into();
    let (code, words) = says(&client.post("/api/1/login/verify_factor", &step).await.json());
    assert!(code == 200 && words.contains("Authentication pending"), "{words}");
    at_the_phone(&wire, "accept").await;
    assert_eq!(says(&client.post("/api/1/login/verify_factor", &step).await.json()), (200, "Success".to_owned()));
}

#[tokio::test]
async fn login_without_a_factor_and_with_a_wrong_password() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let mut body = words(&wire);
    assert_eq!(says(&client.post("/api/1/login/auth", &body).await.json()), (200, "Success".to_owned()));
    body["password"] = "not it".into();
    let (code, words) = says(&client.post("/api/1/login/auth", &body).await.json());
    assert_eq!((code, words.as_str()), (401, "Authentication Failed: Invalid user credentials"));
}
