//! Replay of onelogin-aws-role of 2023-02 (Go); name override (`api.<region>`).
//! Cannot: have a text message, a call or a mail sent: it asks the person for a code at once; use an authenticator app or push.
//!
//! Assertions over version 2. It takes only ids and secrets of 64 characters, keeps a code as a number, sends `do_not_notify` as a
//! text, and makes its steps at `callback_url` unchanged. A wrong code is asked for again on the same state token, ten times.

use domain::Scope;
use serde_json::{Value, json};
use testkit::Setup;

use crate::caller::{
    As, Client, Habits, at_the_phone, attribute_values, authenticator, basic, phone, reads, roles, words_for,
};
use crate::wire::{App, Told, Wire};

const HOST: &str = "api.us.onelogin.com";
const HABITS: Habits = Habits {
    token_path: "/auth/oauth2/v2/token",
    credentials: basic,
    bearer: "Bearer ",
    headers: &[("host", HOST), ("accept", "application/json")],
};
/// How often it polls for a push, with a second before each poll.
const POLLS: u32 = 10;

/// A server that is led to by its name, over TLS.
async fn start() -> Wire {
    let options = countersign_onelogin::DialectOptions { tls: true, ..countersign_onelogin::DialectOptions::default() };
    Wire::start_with(Setup { options, ..Setup::default() }).await
}

async fn ask(client: &Client<'_>) -> Value {
    let told = client.post("/api/2/saml_assertion", &words_for(client.wire, json!("1"))).await;
    assert!(told.status() < 400, "{told}");
    let json = told.json();
    reads(&json, &[("data", As::MaybeText), ("message", As::Text)]);
    if json["data"].is_null() {
        reads(
            &json,
            &[("state_token", As::Text), ("devices", As::List), ("callback_url", As::Text), ("user", As::Object)],
        );
        let device = json["devices"][0]["device_id"].as_i64().expect("a number");
        assert!(i32::try_from(device).is_ok());
    }
    json
}

/// A step at the address of the answer; the members are texts without exception.
async fn step(client: &Client<'_>, asked: &Value, more: (&str, &str)) -> Told {
    let address = asked["callback_url"].as_str().expect("an address");
    let path = address.strip_prefix(&format!("https://{HOST}")).unwrap_or_else(|| panic!("{address} is not reached"));
    let mut body = json!({
        "state_token": asked["state_token"], "device_id": asked["devices"][0]["device_id"].to_string(), "app_id": "1"
    });
    body[more.0] = more.1.into();
    client.post(path, &body).await
}

/// The code of the next step whose first digit is a zero.
fn code_with_a_lost_zero(wire: &Wire, app: &App) -> String {
    for _ in 0..1_000 {
        let code = app.code(wire.server.now());
        if code.starts_with('0') {
            return code;
        }
        wire.server.advance(30);
    }
    panic!("no code of a thousand begins with a zero")
}

#[tokio::test]
async fn oauth_takes_pairs_of_64_characters() {
    let wire = start().await;
    let dev = wire.server.client(Scope::Authenticate).clone();
    assert_eq!((dev.client_id.len(), dev.client_secret.len()), (64, 64));
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    let created = client.granted["created_at"].as_str().expect("a text");
    assert!(created.len() == "2006-01-02T15:04:05.000Z".len() && created.ends_with('Z'), "{created}");
    reads(&client.granted, &[("expires_in", As::Integer), ("account_id", As::Integer), ("token_type", As::Text)]);
}

#[tokio::test]
async fn saml_v2_without_a_factor() {
    let wire = start().await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let data = ask(&client).await["data"].clone();
    let (role, provider) = roles(&data)[0].clone();
    assert!(attribute_values(&data).contains(&format!("{role},{provider}")), "it looks for the role with its comma");
}

#[tokio::test]
async fn saml_v2_by_a_code_that_was_kept_as_a_number() {
    let wire = start().await;
    let (_, app) = authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let code = code_with_a_lost_zero(&wire, &app);
    let asked = ask(&client).await;
    let wrong = step(&client, &asked, ("otp_token", &app.wrong(wire.server.now()))).await;
    assert!(wrong.status() >= 400, "a failure is told by the status: {wrong}");
    let kept = code.parse::<i32>().expect("digits").to_string();
    assert!(kept.len() < code.len());
    let done = step(&client, &asked, ("otp_token", &kept)).await;
    assert_eq!(roles(&done.json()["data"]).len(), 1, "{done}");
}

#[tokio::test]
async fn saml_v2_by_push_polled_ten_times() {
    let wire = start().await;
    phone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = ask(&client).await;
    assert_eq!(asked["devices"][0]["device_type"], "OneLogin Protect");
    let mut told = step(&client, &asked, ("do_not_notify", "false")).await;
    for poll in 1..=POLLS {
        assert!(told.status() < 400 && told.json()["data"].is_null(), "{told}");
        wire.server.advance(1);
        if poll == POLLS {
            at_the_phone(&wire, "accept").await;
        }
        told = step(&client, &asked, ("do_not_notify", "true")).await;
    }
    assert_eq!(roles(&told.json()["data"]).len(), 1, "{told}");
}
