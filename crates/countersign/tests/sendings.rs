//! What becomes of messages on their way: a server that is killed or stopped, gateways that fail, several nodes.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;
#[path = "sendings/gateway.rs"]
mod gateway;
#[path = "sendings/kill.rs"]
mod kill;
#[path = "sendings/limits.rs"]
mod limits;
#[path = "sendings/nodes.rs"]
mod nodes;
#[path = "sendings/restart.rs"]
mod restart;

use std::process::Command;

use common::{Http, pause};
use gateway::Gateway;
use serde_json::json;

/// A configuration with one gateway for text messages, whose sendings may take three seconds. Few of them are answered here, which
/// closes no prefix.
fn twilio(gateway: &Gateway, from: &str) -> String {
    format!(
        "issuer = 'Example Inc'\nmessages.countries = ['US']\nmessages.breaker_percent = 0\n[delivery.twilio]\n\
         account_sid = 'AC00000000000000000000000000000000'\nauth_token = 'hunter2'\nfrom = '{from}'\n\
         base_url = '{}'\ntimeout_seconds = 3\n",
        gateway.url()
    )
}

/// A telephone that gets text messages.
#[derive(Debug, Clone)]
struct Phone {
    user: i64,
    id: String,
}

impl Phone {
    fn verifications(&self) -> String {
        format!("/api/2/mfa/users/{}/verifications", self.user)
    }

    /// The body of a call that opens a verification.
    fn opening(&self) -> String {
        json!({ "device_id": self.id }).to_string()
    }
}

/// A new user with this telephone, to which nothing was sent yet.
fn phone(api: &mut Http, name: &str, number: &str) -> Phone {
    let user = json!({ "username": name, "phone": number }).to_string();
    let user = api.expect(201, "POST", "/api/2/users", &user)["id"].as_i64().unwrap();
    let enrolment = json!({ "factor_id": "2", "display_name": "phone", "verified": true }).to_string();
    let path = format!("/api/2/mfa/users/{user}/registrations");
    let id = api.expect(201, "POST", &path, &enrolment)["device_id"].as_str().unwrap().to_owned();
    Phone { user, id }
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
}

/// How many messages wait, by a node's metrics.
fn waiting(metrics: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix("countersign_outbox_messages "));
    line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

/// Waits a minute at most.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_400 {
        if holds() {
            return;
        }
        pause(25);
    }
    panic!("in vain: {what}");
}
