//! Replay of onelogin-aws-connector of lifull (Go); base URL.
//!
//! Assertions over version 1, `bearer:` without a space, a state token for as long as the type is `pending`, and a
//! refreshed token where the old one is over. Its sixty polls follow one another without a pause that a person would notice.

use serde_json::json;

use crate::caller::{As, Client, Habits, at_the_phone, data, documented, is_assertion, phone, reads, words_for};
use crate::wire::{Script, Wire};
use testkit::Setup;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "bearer:", headers: &[] };

#[tokio::test]
async fn oauth_tokens_are_refreshed() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    let pair = json!({ "grant_type": "refresh_token", "access_token": client.token(), "refresh_token": client.granted["refresh_token"] });
    let told = wire.send(Script::post("/auth/oauth2/v2/token").json(&pair.to_string())).await.json();
    reads(
        &told,
        &[
            ("access_token", As::Text),
            ("created_at", As::Text),
            ("expires_in", As::Integer),
            ("account_id", As::Integer),
        ],
    );
}

#[tokio::test]
async fn saml_v1_by_push_polled_without_notifying() {
    let wire = Wire::start_with(Setup { held_as_shipped: true, ..Setup::default() }).await;
    let device = phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let mut asked = words_for(&wire, json!("1"));
    asked["ip_address"] = "".into();
    let under_way = data(&client.post("/api/1/saml_assertion", &asked).await)[0].clone();
    reads(&under_way["devices"][0], &[("device_id", As::Integer), ("device_type", As::Text)]);
    reads(&under_way["user"], &[("id", As::Integer), ("lastname", As::Text)]);
    // An empty code is none.
    let step = |silent: bool| json!({ "app_id": "1", "device_id": device.to_string(), "state_token": under_way["state_token"], "otp_token": "", "do_not_notify": silent });
    let path = "/api/1/saml_assertion/verify_factor";
    assert_eq!(client.post(path, &step(false)).await.json()["status"]["type"], "pending");
    let polls = async {
        for _ in 0..60 {
            let told = client.post(path, &step(true)).await;
            if told.json()["status"]["type"] != "pending" {
                return told;
            }
        }
        panic!("timed out");
    };
    let (told, ()) = tokio::join!(polls, at_the_phone(&wire, "accept"));
    assert!(is_assertion(&data(&told)));
}
