//! MFA version 2 on the wire: the documented samples and error rows of section 7 of the contract, the compat profiles,
//! and that both versions are doors to one house.

mod registration;
mod upkeep;
mod verification;
#[path = "../wire/mod.rs"]
mod wire;

use countersign_onelogin::CompatProfile;
use domain::{FactorKind, Scope};
use insta::assert_snapshot;
use testkit::{Script, Setup};
use wire::{App, Told, Wire, other, transcript};

const NOBODY: &str = "/api/2/mfa/users/987654321";

async fn register(wire: &Wire, body: &str) -> Told {
    wire.post("2/registrations", body).await
}

/// Registers a device that gets a message; gives the registration and the code.
async fn registered(wire: &Wire, factor: i64, channel: &str) -> (String, String) {
    let body = format!(r#"{{"factor_id":{factor},"display_name":"Ben's {channel}"}}"#);
    let (told, code) = wire.sent(channel, register(wire, &body)).await;
    (told.text("id"), code)
}

/// Registers and pairs a phone; gives its device id.
async fn paired(wire: &Wire) -> String {
    let started = register(wire, r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &started.0.text).await;
    registration(wire, &started.text("id")).await.text("device_id")
}

async fn registration(wire: &Wire, id: &str) -> Told {
    wire.get(&format!("2/registrations/{id}")).await
}

async fn confirm(wire: &Wire, id: &str, body: &str) -> Told {
    wire.put(&format!("2/registrations/{id}"), body).await
}

async fn challenge(wire: &Wire, device: &str) -> Told {
    wire.post("2/verifications", &format!(r#"{{"device_id":{device}}}"#)).await
}

/// Challenges; gives the verification and the code that was sent.
async fn challenged(wire: &Wire, device: &str, channel: &str) -> (String, String) {
    let (told, code) = wire.sent(channel, challenge(wire, device)).await;
    (told.text("id"), code)
}

async fn verification(wire: &Wire, id: &str) -> Told {
    wire.get(&format!("2/verifications/{id}")).await
}

async fn answer(wire: &Wire, id: &str, body: &str) -> Told {
    wire.put(&format!("2/verifications/{id}"), body).await
}

fn otp(code: &str) -> String {
    format!(r#"{{"otp":"{code}"}}"#)
}

fn otp_of(code: &str, device: &str) -> String {
    format!(r#"{{"otp":"{code}","device_id":"{device}"}}"#)
}
