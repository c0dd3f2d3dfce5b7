//! Replay of clisso of 2025-05 (Go); name override (`api.us` or `api.eu`).
//! Cannot: have a text message, a call or a mail sent: it asks the person for a code at once; use an authenticator app or push.
//!
//! Assertions over version 2, with the scope that its documentation asks for. Nothing but 200 is read. A push is asked for once, then
//! polled every second for half a minute while the message holds `pending`; after that the person is asked for a code.

use serde_json::{Value, json};
use testkit::Setup;

use crate::caller::{
    As, Client, Habits, at_the_phone, authenticator, documented, phone, reads, roles, text, words_for,
};
use crate::wire::{Told, Wire};

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "bearer:", headers: &[] };
const ASK: &str = "/api/2/saml_assertion";
const STEP: &str = "/api/2/saml_assertion/verify_factor";
/// How often it polls for a push, with a second before each poll.
const POLLS: u32 = 30;

/// What it reads of the first answer.
async fn ask(client: &Client<'_>) -> Value {
    let told = client.post(ASK, &words_for(client.wire, json!("1"))).await;
    assert_eq!(told.status(), 200, "{told}");
    let json = told.json();
    reads(&json, &[("message", As::Text), ("data", As::MaybeText), ("state_token", As::MaybeText)]);
    if json["message"] != "Success" {
        reads(&json, &[("devices", As::List), ("callback_url", As::Text), ("user", As::Object)]);
        reads(&json["devices"][0], &[("device_id", As::Integer), ("device_type", As::Text)]);
        reads(&json["user"], &[("id", As::Integer), ("username", As::Text), ("lastname", As::Text)]);
    }
    json
}

/// A step; it always names all five members.
async fn step(client: &Client<'_>, asked: &Value, otp: &str, silent: bool) -> Told {
    let body = json!({
        "app_id": "1", "device_id": asked["devices"][0]["device_id"].to_string(), "state_token": asked["state_token"],
        "otp_token": otp, "do_not_notify": silent
    });
    client.post(STEP, &body).await
}

/// What a step said, read only where its status is 200.
fn said(told: &Told) -> (String, Value) {
    assert_eq!(told.status(), 200, "{told}");
    let json = told.json();
    reads(&json, &[("message", As::Text), ("data", As::MaybeText)]);
    (text(&json, "message"), json["data"].clone())
}

#[tokio::test]
async fn oauth_is_typed() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    reads(
        &client.granted,
        &[
            ("access_token", As::Text),
            ("created_at", As::Text),
            ("expires_in", As::Integer),
            ("refresh_token", As::Text),
            ("token_type", As::Text),
            ("account_id", As::Integer),
        ],
    );
}

#[tokio::test]
async fn saml_v2_without_a_factor_and_by_a_code() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    assert_eq!(roles(&ask(&client).await["data"]).len(), 1);
    let unknown = client.post(ASK, &words_for(&wire, json!("999"))).await;
    assert_eq!(unknown.status(), 404, "it tells an unknown app by the status alone");
    let (_, app) = authenticator(&wire).await;
    let asked = ask(&client).await;
    assert_eq!(asked["devices"][0]["device_type"], "Google Authenticator");
    let wrong = step(&client, &asked, &app.wrong(wire.server.now()), false).await;
    assert_eq!(wrong.status(), 401, "any status but 200 ends it");
    let asked = ask(&client).await;
    let (message, data) = said(&step(&client, &asked, &app.code(wire.server.now()), false).await);
    assert_eq!((message.as_str(), roles(&data).len()), ("Success", 1));
}

/// Asks for a push, polls as it does with its own pauses, and answers with what it has in the end; `None` if time was up. The
/// person answers at the phone before the poll of this number.
async fn pushed(client: &Client<'_>, asked: &Value, person: Option<(u32, &str)>) -> Option<Told> {
    let mut told = step(client, asked, "", false).await;
    for poll in 0..POLLS {
        if told.status() != 200 || !said(&told).0.contains("pending") {
            break;
        }
        client.wire.server.advance(1);
        if let Some((_, answer)) = person.filter(|(at, _)| *at == poll) {
            at_the_phone(client.wire, answer).await;
        }
        told = step(client, asked, "", true).await;
    }
    (told.status() != 200 || !said(&told).0.contains("pending")).then_some(told)
}

#[tokio::test]
async fn saml_v2_by_push_polled_every_second() {
    let wire = Wire::start().await;
    phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = ask(&client).await;
    assert_eq!(asked["devices"][0]["device_type"], "OneLogin Protect");
    // The last second is not too late.
    let told = pushed(&client, &asked, Some((POLLS - 1, "accept"))).await.expect("in time");
    assert_eq!(roles(&said(&told).1).len(), 1);
    // A denial is no 200, and ends it.
    let told = pushed(&client, &ask(&client).await, Some((2, "deny"))).await.expect("in time");
    assert_eq!(told.status(), 401);
    // The person does not tap: it gives up on the push and asks for a code, which a push device does not have here.
    let asked = ask(&client).await;
    assert!(pushed(&client, &asked, None).await.is_none());
    assert_eq!(step(&client, &asked, "123456", false).await.status(), 401);
}

/// As a server comes: a poll is held, so that the tap is answered at once.
#[tokio::test]
async fn saml_v2_by_push_with_polls_held_as_shipped() {
    let wire = Wire::start_with(Setup { held_as_shipped: true, ..Setup::default() }).await;
    phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = ask(&client).await;
    assert!(said(&step(&client, &asked, "", false).await).0.contains("pending"));
    let (told, ()) = tokio::join!(step(&client, &asked, "", true), at_the_phone(&wire, "accept"));
    assert_eq!(roles(&said(&told).1).len(), 1);
}
