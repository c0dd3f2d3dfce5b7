//! Replay of saml2aws of 2025-05 (Go); base URL.
//!
//! Assertions over version 2, with a colon and a space after the scheme. It chooses a device by the exact name of its
//! type, waits while the message holds `pending`, and needs `status.error` to be absent or false.

use serde_json::{Value, json};

use crate::caller::{
    Client, Habits, at_the_phone, authenticator, basic, is_assertion, phone, telephone, text, words_for,
};
use crate::wire::Wire;

const HABITS: Habits = Habits {
    token_path: "/auth/oauth2/v2/token",
    credentials: basic,
    bearer: "bearer: ",
    headers: &[("accept", "application/json")],
};
const ASK: &str = "/api/2/saml_assertion";
const STEP: &str = "/api/2/saml_assertion/verify_factor";

/// What it sends at a step; without a code it leaves the member out.
fn step(asked: &Value, silent: bool, otp: Option<&str>) -> Value {
    let mut step = json!({
        "app_id": "1", "device_id": asked["devices"][0]["device_id"].to_string(), "do_not_notify": silent,
        "state_token": asked["state_token"]
    });
    if let Some(otp) = otp {
        step["otp_token"] = otp.into();
    }
    step
}

#[tokio::test]
async fn oauth_with_a_colon_and_a_space() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    assert_eq!(client.post(ASK, &words_for(&wire, json!("1"))).await.status(), 200);
}

#[tokio::test]
async fn saml_v2_without_a_factor() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let told = client.post(ASK, &words_for(&wire, json!("1"))).await.json();
    assert_eq!((text(&told, "message").as_str(), is_assertion(&told["data"])), ("Success", true));
}

#[tokio::test]
async fn saml_v2_by_app_and_by_text_message() {
    let wire = Wire::start().await;
    let (_, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = client.post(ASK, &words_for(&wire, json!("1"))).await.json();
    assert_eq!(asked["devices"][0]["device_type"], "Google Authenticator");
    let done = client.post(STEP, &step(&asked, false, Some(&app.code(wire.server.now())))).await.json();
    assert!(text(&done, "message") == "Success" && is_assertion(&done["data"]), "{done}");

    let wire = Wire::start().await;
    telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = client.post(ASK, &words_for(&wire, json!("1"))).await.json();
    assert_eq!(asked["devices"][0]["device_type"], "OneLogin SMS");
    let (sent, code) = wire.sent("sms", client.post(STEP, &step(&asked, false, None))).await;
    assert_ne!(sent.json()["status"]["error"], json!(true));
    let done = client.post(STEP, &step(&asked, false, Some(&code))).await.json();
    assert!(is_assertion(&done["data"]), "{done}");
}

#[tokio::test]
async fn saml_v2_by_push() {
    let wire = Wire::start().await;
    phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = client.post(ASK, &words_for(&wire, json!("1"))).await.json();
    assert_eq!(asked["devices"][0]["device_type"], "OneLogin Protect");
    client.post(STEP, &step(&asked, false, None)).await;
    for _ in 0..3 {
        let told = client.post(STEP, &step(&asked, true, None)).await;
        assert!(told.status() == 200 && text(&told.json(), "message").contains("pending"), "{told}");
    }
    at_the_phone(&wire, "accept").await;
    assert!(is_assertion(&client.post(STEP, &step(&asked, true, None)).await.json()["data"]));
    // A denial is not 200, and ends it with the message.
    let asked = client.post(ASK, &words_for(&wire, json!("1"))).await.json();
    client.post(STEP, &step(&asked, false, None)).await;
    at_the_phone(&wire, "deny").await;
    let told = client.post(STEP, &step(&asked, true, None)).await;
    assert_eq!(
        (told.status(), text(&told.json(), "message").as_str()),
        (401, "Failed authentication with this factor")
    );
}
