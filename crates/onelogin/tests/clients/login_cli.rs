//! Replay of onelogin-aws-cli 0.2.0 of vandycknick (.NET); name override.
//!
//! Assertions over version 2. It sends `charset=utf-8` behind the content type, and null for a code it does not have.

use serde_json::json;

use crate::caller::{As, Client, Habits, authenticator, documented, is_assertion, reads, text, words_for};
use crate::wire::{Script, Wire};

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "bearer ", headers: &[] };

#[tokio::test]
async fn saml_v2_with_a_charset_and_nulls() {
    let wire = Wire::start().await;
    let (device, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let send = async |path: &str, body: String| {
        let script = Script::post(path).body(&body).header("content-type", "application/json; charset=utf-8");
        wire.send(script.header("authorization", &format!("bearer {}", client.token()))).await.json()
    };
    let asked = send("/api/2/saml_assertion", words_for(&wire, json!("1")).to_string()).await;
    reads(
        &asked,
        &[("message", As::Text), ("state_token", As::Text), ("devices", As::List), ("callback_url", As::Text)],
    );
    reads(&asked["devices"][0], &[("device_id", As::Integer), ("device_type", As::Text)]);
    let mut step = json!({ "app_id": "1", "device_id": device.to_string(), "state_token": asked["state_token"], "otp_token": null });
    let told = send("/api/2/saml_assertion/verify_factor", step.to_string()).await;
    assert_eq!(text(&told, "message"), "OTP token blank");
    step["otp_token"] = app.code(wire.server.now()).into();
    assert!(is_assertion(&send("/api/2/saml_assertion/verify_factor", step.to_string()).await["data"]));
}
