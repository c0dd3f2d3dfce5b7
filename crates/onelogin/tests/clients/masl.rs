//! Replay of masl of 2021-12 (Go); base URL (`BaseURL`, with a slash at its end).
//! Cannot: have a message sent or wait for a push: it asks the person for a code at once; use an authenticator app.
//!
//! Assertions over version 1, with the token of the older endpoint. `message` is read as a text, always. The code goes out with the
//! end of the line that the person typed, and every value of the assertion that holds `role` is read as a role and its provider.

use serde_json::{Value, json};

use crate::caller::{
    As, Client, Habits, attribute_values, authenticator, message, reads, roles, telephone, without_space, words_for,
};
use crate::wire::Wire;

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/token", credentials: without_space, bearer: "bearer:", headers: &[] };
const ASK: &str = "/api/1/saml_assertion";
const STEP: &str = "/api/1/saml_assertion/verify_factor";

/// The first answer: a message that is a text and a code that is a number, whatever the status line says.
async fn ask(client: &Client<'_>, words: &Value) -> Result<Value, String> {
    let told = client.post(ASK, words).await;
    let said = message(&told);
    let json = told.json();
    if json["status"]["code"] != json!(200) {
        return Err(said);
    }
    reads(&json["status"], &[("type", As::Text), ("error", As::Bool)]);
    if said.eq_ignore_ascii_case("success") {
        reads(&json, &[("data", As::Text)]);
    } else {
        let under_way = &json["data"][0];
        reads(under_way, &[("state_token", As::Text), ("callback_url", As::Text), ("devices", As::List)]);
        reads(&under_way["user"], &[("id", As::Integer), ("email", As::Text), ("lastname", As::Text)]);
        reads(&under_way["devices"][0], &[("device_id", As::Integer), ("device_type", As::Text)]);
    }
    Ok(json["data"].clone())
}

/// The step: the code is as it was read from the terminal, with the end of its line.
async fn step(client: &Client<'_>, under_way: &Value, typed: &str) -> Result<Value, String> {
    let device = &under_way[0]["devices"][0]["device_id"];
    let body = json!({
        "app_id": "1", "otp_token": typed, "device_id": device.to_string(), "state_token": under_way[0]["state_token"]
    });
    let json = client.post(STEP, &body).await.json();
    reads(&json["status"], &[("code", As::Integer), ("message", As::Text), ("type", As::Text), ("error", As::Bool)]);
    reads(&json, &[("data", As::MaybeText)]);
    if json["status"]["code"] == json!(200) { Ok(json["data"].clone()) } else { Err(message_of(&json)) }
}

fn message_of(json: &Value) -> String {
    json["status"]["message"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn oauth_at_the_older_endpoint() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    assert_eq!(client.granted["status"]["code"], 200);
    reads(
        &client.granted["data"][0],
        &[
            ("created_at", As::Text),
            ("expires_in", As::Integer),
            ("refresh_token", As::Text),
            ("account_id", As::Integer),
        ],
    );
}

#[tokio::test]
async fn saml_v1_without_a_factor() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let data = ask(&client, &words_for(&wire, json!("1"))).await.expect("an assertion");
    assert_eq!(roles(&data).len(), 1);
    let mut wrong = words_for(&wire, json!("1"));
    wrong["password"] = "not it".into();
    assert_eq!(ask(&client, &wrong).await, Err("Authentication Failed: Invalid user credentials".to_owned()));
    // An app that is not there, and an account that is not ours, are named in a text as well.
    assert_eq!(ask(&client, &words_for(&wire, json!("999"))).await, Err("App not found".to_owned()));
}

#[tokio::test]
async fn saml_v1_by_a_code_with_the_end_of_its_line() {
    let wire = Wire::start().await;
    let (_, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let under_way = ask(&client, &words_for(&wire, json!("1"))).await.expect("devices");
    assert_eq!(under_way[0]["devices"][0]["device_type"], "Google Authenticator");
    let wrong = step(&client, &under_way, &format!("{}\n", app.wrong(wire.server.now()))).await;
    assert_eq!(wrong, Err("Failed authentication with this factor".to_owned()));
    // It ends with that message, and the person begins anew.
    let under_way = ask(&client, &words_for(&wire, json!("1"))).await.expect("devices");
    for typed in ["\n", "\r\n"] {
        assert_eq!(step(&client, &under_way, typed).await, Err("OTP token blank".to_owned()), "{typed:?}");
    }
    let data = step(&client, &under_way, &format!("{}\r\n", app.code(wire.server.now()))).await.expect("an assertion");
    assert_eq!(roles(&data).len(), 1);
    for value in attribute_values(&data).iter().filter(|value| value.contains("role")) {
        let (role, provider) = value.split_once(',').unwrap_or_else(|| panic!("it would read {value} as a role"));
        assert!(role.len() > 31 && provider.len() > 25, "{value}");
    }
}

/// The device is the default one or the one whose type is set, in any case.
#[tokio::test]
async fn saml_v1_of_several_devices_one_is_chosen_by_its_type() {
    let wire = Wire::start().await;
    telephone(&wire).await;
    authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let under_way = ask(&client, &words_for(&wire, json!("1"))).await.expect("devices");
    let devices = under_way[0]["devices"].as_array().expect("a list");
    let set = "google authenticator";
    let chosen = devices.iter().filter(|device| {
        reads(device, &[("device_id", As::Integer), ("device_type", As::Text)]);
        device["device_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(set))
    });
    assert_eq!((devices.len(), chosen.count()), (2, 1));
}
