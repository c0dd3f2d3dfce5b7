//! Replay of aws-runas 3.8.0 (Go); base URL.
//!
//! Log-in over version 1 with a session in the end, assertions over version 2. It lists devices over version 2 and
//! picks one by `auth_factor_name`, keeps only the path of `callback_url`, and repeats the scheme it received as
//! `token_type`.

use serde_json::{Value, json};

use crate::caller::{
    As, Client, Habits, at_the_phone, authenticator, basic, data, is_assertion, message, phone, reads, telephone, text,
    words, words_for,
};
use crate::wire::{Script, Wire, other};

const HABITS: Habits = Habits {
    token_path: "/auth/oauth2/v2/token",
    credentials: basic,
    bearer: "bearer ",
    headers: &[("accept", "application/json")],
};

/// The device it takes: the default one.
async fn device(client: &Client<'_>, under_way: &Value, factor: &str) -> String {
    let path = format!("/api/2/mfa/users/{}/devices", under_way["user"]["id"]);
    let devices = client.get(&path).await.json();
    reads(&devices[0], &[("device_id", As::Text), ("auth_factor_name", As::Text), ("default", As::Bool)]);
    assert_eq!((devices[0]["auth_factor_name"].as_str(), &devices[0]["default"]), (Some(factor), &json!(true)));
    text(&devices[0], "device_id")
}

/// The path of the step, from the answer.
fn path(under_way: &Value) -> String {
    let url = text(under_way, "callback_url");
    let (_, rest) = url.split_once("://").expect("a URL");
    rest.find('/').map(|at| rest[at..].to_owned()).expect("a path")
}

fn step(under_way: &Value, device: &str, silent: bool, otp: Option<&str>) -> Value {
    let mut step = json!({ "device_id": device, "do_not_notify": silent, "state_token": under_way["state_token"] });
    if let Some(otp) = otp {
        step["otp_token"] = otp.into();
    }
    step
}

#[tokio::test]
async fn oauth_says_the_scheme_that_is_repeated() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    assert_eq!(client.granted["token_type"], "bearer");
    reads(&client.granted, &[("account_id", As::Integer), ("expires_in", As::Integer), ("created_at", As::Text)]);
}

#[tokio::test]
async fn login_by_app_ends_in_a_session() {
    let wire = Wire::start().await;
    let (_, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let under_way = data(&client.post("/api/1/login/auth", &words(&wire)).await)[0].clone();
    let device = device(&client, &under_way, "Google Authenticator").await;
    let code = app.code(wire.server.now());
    // A wrong code is asked for again, on the same state token.
    let wrong = client.post(&path(&under_way), &step(&under_way, &device, true, Some(&other(&code)))).await;
    assert_eq!((wrong.status(), message(&wrong).as_str()), (401, "Failed authentication with this factor"));
    let done = client.post(&path(&under_way), &step(&under_way, &device, true, Some(&code))).await;
    let session_token = text(&data(&done)[0], "session_token");
    let form = Script::post("/session_via_api_token").form(&format!("session_token={session_token}"));
    let session = wire.server.send(form).await;
    assert_eq!(session.status, 200, "it follows redirects and wants 200 in the end: {session}");
    assert!(session.header("set-cookie").is_some());
}

#[tokio::test]
async fn login_by_push() {
    let wire = Wire::start().await;
    phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    let under_way = data(&client.post("/api/1/login/auth", &words(&wire)).await)[0].clone();
    let device = device(&client, &under_way, "OneLogin").await;
    let told = client.post(&path(&under_way), &step(&under_way, &device, false, None)).await;
    assert!(message(&told).to_lowercase().contains("pending"));
    at_the_phone(&wire, "accept").await;
    let done = client.post(&path(&under_way), &step(&under_way, &device, true, None)).await;
    assert_eq!(text(&data(&done)[0], "session_token").len(), 40);
}

#[tokio::test]
async fn saml_v2_by_text_message() {
    let wire = Wire::start().await;
    telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let under_way = client.post("/api/2/saml_assertion", &words_for(&wire, json!("1"))).await.json();
    reads(&under_way, &[("data", As::MaybeText), ("message", As::Text), ("devices", As::List), ("user", As::Object)]);
    let device = device(&client, &under_way, "SMS").await;
    let asking = |otp: Option<&str>| {
        let mut step = step(&under_way, &device, true, otp);
        step["app_id"] = "1".into();
        step
    };
    // It asks for the code first; who has none yet just presses the key, and is sent one although it said not to
    // notify.
    let (told, code) = wire.sent("sms", client.post(&path(&under_way), &asking(None))).await;
    assert!(text(&told.json(), "message").to_lowercase().contains("pending"), "{told}");
    assert!(is_assertion(&client.post(&path(&under_way), &asking(Some(&code))).await.json()["data"]));
}
