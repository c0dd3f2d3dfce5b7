//! Replay of asobrien/onelogin (Go); base URL by name override; `--sent-type pending`.
//!
//! Log-in only, with the least scope its own words ask for: the type of a step decides. `pending` is a message on its way, and
//! `success` must bring data with `Authenticated`.

use domain::Scope;
use domain::rules::client::Choice;
use serde_json::{Value, json};

use crate::caller::{Client, Habits, authenticator, documented, telephone, words};
use crate::wire::Wire;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "bearer:", headers: &[] };

/// What its one function for a step makes of an answer: the log-in, nothing yet, or a failure.
fn read(told: &Value) -> Result<Option<Value>, String> {
    let kind = told["status"]["type"].as_str().unwrap_or_default();
    if told["status"]["code"] == 200 && kind == "pending" {
        return Ok(None);
    }
    if told["status"]["code"] == 200 && kind == "success" {
        let data = told["data"].as_array().ok_or("no data")?;
        if data.len() == 1 && data[0]["status"] == "Authenticated" {
            return Ok(Some(data[0].clone()));
        }
    }
    Err(format!("verify factor failed: {kind}"))
}

async fn step(client: &Client<'_>, device_type: &str, code: &str, silent: bool) -> Result<Option<Value>, String> {
    let under_way = client.post("/api/1/login/auth", &words(client.wire)).await.json()["data"][0].clone();
    let devices = under_way["devices"].as_array().expect("devices");
    let device = devices.iter().find(|device| device["device_type"] == device_type).expect("a device of this type");
    let id = device["device_id"].as_i64().expect("a number").to_string();
    let body =
        json!({ "device_id": id, "state_token": under_way["state_token"], "otp_token": code, "do_not_notify": silent });
    read(&client.post("/api/1/login/verify_factor", &body).await.json())
}

#[tokio::test]
async fn login_by_a_code_of_an_app() {
    let wire = Wire::start().await;
    let (_, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let code = app.code(wire.server.now());
    assert!(step(&client, "Google Authenticator", &code, true).await.expect("no failure").is_some());
}

#[tokio::test]
async fn login_by_text_waits_for_the_type_pending() {
    let wire = Wire::start().await;
    telephone(&wire).await;
    let named = wire.server.client(Scope::Authenticate).client_id.clone();
    let choice = Choice { sent_is_pending: Some(true), ..Choice::default() };
    wire.server.world.engine().choose_for_client(&named, choice).await.expect("a database");
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    assert_eq!(step(&client, "OneLogin SMS", "", false).await, Ok(None));
}
