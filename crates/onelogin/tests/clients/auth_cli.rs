//! Replay of onelogin-auth-cli of 2025-09 (Go); name override (`api.us`).
//! Cannot: have a message sent, wait for a push, or let in a person who needs no factor: it reads the assertion of a step with a code alone; use an authenticator app.
//!
//! The token of the older endpoint, assertions over version 2, bodies of several lines, the scope that its documentation asks for. It
//! looks at no status line: the message must be one of two, to the letter.

use serde_json::{Value, json};

use crate::caller::{As, Client, Habits, authenticator, documented, reads, roles, telephone, text, words_for};
use crate::wire::Wire;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/token", credentials: documented, bearer: "bearer:", headers: &[] };
const NEEDED: &str = "MFA is required for this user";

/// A body as it writes one: each member on one line, without indentation.
fn lines(body: &Value) -> String {
    let pretty = serde_json::to_string_pretty(body).expect("JSON");
    pretty.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}

async fn ask(client: &Client<'_>, words: &Value) -> Result<Value, String> {
    let told = client.call("POST", "/api/2/saml_assertion", &lines(words)).await.json();
    reads(&told, &[("message", As::Text)]);
    match text(&told, "message").as_str() {
        NEEDED => {
            reads(&told, &[("state_token", As::Text), ("devices", As::List), ("user", As::Object)]);
            for device in told["devices"].as_array().expect("a list") {
                reads(device, &[("device_id", As::Integer), ("device_type", As::Text)]);
            }
            reads(&told["user"], &[("id", As::Integer), ("email", As::Text), ("firstname", As::Text)]);
            Ok(told)
        }
        "Success" => Ok(told),
        other => Err(other.to_owned()),
    }
}

async fn step(client: &Client<'_>, asked: &Value, device: &Value, code: &str) -> Result<Value, String> {
    let body = json!({
        "app_id": "1", "device_id": device.to_string(), "state_token": asked["state_token"], "otp_token": code
    });
    let told = client.call("POST", "/api/2/saml_assertion/verify_factor", &lines(&body)).await.json();
    reads(&told, &[("message", As::Text), ("data", As::MaybeText)]);
    if told["message"] == "Success" { Ok(told["data"].clone()) } else { Err(text(&told, "message")) }
}

#[tokio::test]
async fn oauth_at_the_older_endpoint() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    reads(&client.granted["status"], &[("error", As::Bool), ("code", As::Integer), ("message", As::Text)]);
    reads(&client.granted["data"][0], &[("created_at", As::Text), ("account_id", As::Integer)]);
}

#[tokio::test]
async fn saml_v2_by_a_code_of_the_device_of_a_type() {
    let wire = Wire::start().await;
    telephone(&wire).await;
    let (_, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = ask(&client, &words_for(&wire, json!("1"))).await.expect("devices");
    let devices = asked["devices"].as_array().expect("a list");
    let of_type =
        |kind: &str| devices.iter().find(|device| device["device_type"] == kind).expect("one")["device_id"].clone();
    let (device, now) = (of_type("Google Authenticator"), wire.server.now());
    let wrong = step(&client, &asked, &device, &app.wrong(now)).await;
    assert_eq!(wrong, Err("Failed authentication with this factor".to_owned()));
    // It ends, and is started again.
    let asked = ask(&client, &words_for(&wire, json!("1"))).await.expect("devices");
    assert_eq!(roles(&step(&client, &asked, &device, &app.code(now)).await.expect("an assertion")).len(), 1);
}

#[tokio::test]
async fn saml_v2_failures_are_told_in_words() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let mut wrong = words_for(&wire, json!("1"));
    wrong["password"] = "not it".into();
    assert_eq!(ask(&client, &wrong).await, Err("Authentication Failed: Invalid user credentials".to_owned()));
    assert_eq!(ask(&client, &words_for(&wire, json!("999"))).await, Err("App not found".to_owned()));
    wrong["password"] = "".into();
    assert_eq!(ask(&client, &wrong).await, Err("password is empty".to_owned()));
}
