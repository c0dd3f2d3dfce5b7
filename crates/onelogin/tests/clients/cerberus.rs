//! Replay of Cerberus of Nike of 2023-05 (Java); name override (`api.<region>`).
//! Cannot: have a message sent or wait for a push: it asks the person for a code at once; use an authenticator app.
//!
//! Log-in only, and a token of the older endpoint before every single call. Status and message decide what the person reads: 401 is a
//! wrong password or code, 400 with a message that begins with `MFA` is a factor that has to be set up. Groups are the user's
//! `member_of`. One pair does all of it, so it needs a scope that logs in and reads users.

use domain::model::audit::Actor;
use domain::model::user_patch::UserPatch;
use domain::{MfaPolicy, UserId};
use serde_json::{Value, json};

use crate::caller::{As, Client, Habits, authenticator, documented, reads, words};
use crate::wire::{Script, Told, Wire};

const HABITS: Habits = Habits {
    token_path: "/auth/oauth2/token",
    credentials: documented,
    bearer: "bearer:",
    headers: &[("accept", "application/json")],
};

/// What the person reads.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    LoggedIn(String),
    FactorNeeded { state_token: String, device: i64 },
    SetUpAFactor,
    WrongCredentials,
    BadRequest,
}

/// What it makes of an answer to either call; the status line is not looked at.
fn read(told: &Told) -> Said {
    let json = told.json();
    let status = &json["status"];
    reads(status, &[("type", As::Text), ("message", As::Text), ("code", As::Integer), ("error", As::Bool)]);
    if status["error"] == true {
        let message = status["message"].as_str().expect("a text").to_ascii_uppercase();
        return match status["code"].as_i64() {
            Some(400) if message.starts_with("MFA") => Said::SetUpAFactor,
            Some(401) => Said::WrongCredentials,
            _ => Said::BadRequest,
        };
    }
    let data = &json["data"][0];
    reads(&data["user"], &[("id", As::Integer), ("username", As::Text), ("email", As::Text)]);
    match data["state_token"].as_str() {
        Some(token) => {
            reads(&data["devices"][0], &[("device_id", As::Integer), ("device_type", As::Text)]);
            let device = data["devices"][0]["device_id"].as_i64().expect("a number");
            Said::FactorNeeded { state_token: token.to_owned(), device }
        }
        None => Said::LoggedIn(data["user"]["id"].to_string()),
    }
}

async fn post(client: &mut Client<'_>, path: &str, body: &Value) -> Said {
    client.take_token().await;
    let pretty = serde_json::to_string_pretty(body).expect("JSON");
    read(&client.call("POST", path, &pretty).await)
}

#[tokio::test]
async fn login_tells_a_wrong_password_from_a_factor_to_set_up() {
    let wire = Wire::start().await;
    let mut client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let right = words(&wire);
    assert_eq!(post(&mut client, "/api/1/login/auth", &right).await, Said::LoggedIn(wire.user.to_string()));
    let mut wrong = right.clone();
    wrong["password"] = "not it".into();
    assert_eq!(post(&mut client, "/api/1/login/auth", &wrong).await, Said::WrongCredentials);
    // A factor is required and none is enrolled: the right password is not called a wrong one.
    let patch = UserPatch { mfa_policy: Some(Some(MfaPolicy::Required)), ..UserPatch::default() };
    let set = wire.server.engine().update_user(UserId(wire.user), patch, None, Actor::default()).await;
    set.expect("a database");
    assert_eq!(post(&mut client, "/api/1/login/auth", &right).await, Said::SetUpAFactor);
    assert_eq!(post(&mut client, "/api/1/login/auth", &wrong).await, Said::WrongCredentials);
}

#[tokio::test]
async fn login_by_a_code() {
    let wire = Wire::start().await;
    let (_, app) = authenticator(&wire).await;
    let mut client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let said = post(&mut client, "/api/1/login/auth", &words(&wire)).await;
    let Said::FactorNeeded { state_token, device } = said else { panic!("{said:?}") };
    let step = |code: &str, state_token: &str| json!({ "device_id": device.to_string(), "state_token": state_token, "otp_token": code });
    let path = "/api/1/login/verify_factor";
    let now = wire.server.now();
    assert_eq!(post(&mut client, path, &step(&app.wrong(now), &state_token)).await, Said::WrongCredentials);
    assert_eq!(post(&mut client, path, &step(&app.code(now), "0".repeat(40).as_str())).await, Said::BadRequest);
    assert_eq!(
        post(&mut client, path, &step(&app.code(now), &state_token)).await,
        Said::LoggedIn(wire.user.to_string())
    );
}

#[tokio::test]
async fn users_have_their_groups_in_one_text() {
    let wire = Wire::start().await;
    let groups = "CN=ops,OU=x;CN=dev,OU=x";
    wire.put(&format!("/api/1/users/{}", wire.user), &json!({ "member_of": groups }).to_string()).await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let script = Script::get(&format!("/api/1/users/{}", wire.user)).header("accept", "application/json");
    let told = wire.send(script.header("authorization", &format!("bearer:{}", client.token()))).await.json();
    assert_eq!((&told["status"]["error"], &told["data"][0]["member_of"]), (&json!(false), &json!(groups)));
    reads(&told["data"][0], &[("id", As::Integer), ("invalid_login_attempts", As::Integer), ("status", As::Integer)]);
}
