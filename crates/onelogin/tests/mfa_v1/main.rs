//! MFA version 1 on the wire: the documented samples and error rows of section 4 of the contract.

mod enrolment;
mod upkeep;
mod verification;
#[path = "../wire/mod.rs"]
mod wire;

use countersign_onelogin::CompatProfile;
use domain::Scope;
use insta::assert_snapshot;
use testkit::{Script, Setup};
use wire::{App, Told, Wire, other, transcript};

const NOBODY: &str = "/api/1/users/987654321";

/// A pending SMS device of the wire's user.
async fn sms(wire: &Wire) -> String {
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123"}"#;
    wire.post("1/otp_devices", body).await.text("id")
}

/// An authenticator app that has not been verified yet.
async fn app(wire: &Wire) -> (String, App) {
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
    (enrolled.text("id"), App::reading(&enrolled.single()["factor_data"]))
}

/// A paired phone.
async fn phone(wire: &Wire) -> String {
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &enrolled.0.text).await;
    enrolled.text("id")
}

async fn trigger(wire: &Wire, device: &str, body: &str) -> Told {
    wire.post(&format!("1/otp_devices/{device}/trigger"), body).await
}

async fn verify(wire: &Wire, device: &str, body: &str) -> Told {
    wire.post(&format!("1/otp_devices/{device}/verify"), body).await
}

/// Triggers; gives the state token and the code that was sent.
async fn challenged(wire: &Wire, device: &str, channel: &str) -> (String, String) {
    let (told, code) = wire.sent(channel, trigger(wire, device, "")).await;
    (told.text("state_token"), code)
}

fn with_code(state_token: &str, code: &str) -> String {
    format!(r#"{{"state_token":"{state_token}","otp_token":"{code}"}}"#)
}

fn with_state(state_token: &str) -> String {
    format!(r#"{{"state_token":"{state_token}"}}"#)
}

fn code_alone(code: &str) -> String {
    format!(r#"{{"otp_token":"{code}"}}"#)
}
