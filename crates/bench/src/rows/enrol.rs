//! Enrolling a device over the API, which takes two requests (create, confirm), against requests of bare hyper.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::compare::Side as _;
use crate::device::{Device, Token};
use crate::enrol::{factor, secret};
use crate::fixture::{CONNECTIONS, Fixture};
use crate::row::{Finding, Goal};
use crate::wire::{Answer, request};
use crate::workload::{Ask, Outcome, Traffic, Workload, accepted, shares};

pub(super) const NAME: &str = "enrol";

/// Devices that a user with one device may add.
const MORE: usize = 19;

/// A user, the request that enrols a device, and how often it was sent.
struct Enroller {
    user: i64,
    create: Vec<u8>,
    sent: usize,
}

/// Enrolments of users in turn.
struct Enrolments {
    users: Vec<Enroller>,
    authorization: String,
    turn: usize,
    /// The second request of the current enrolment, and the device that it confirms.
    confirming: Option<(Vec<u8>, Device)>,
    is_confirmation: bool,
    /// The device confirmed last.
    last: Option<Device>,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let installation = fixture.installation(fixture.size.many, 1)?;
    let mut instance = installation.open(fixture, CONNECTIONS)?;
    let enrollers = &installation.dataset.devices;
    let user = enrollers.first().context("there are users")?.user;
    let factor = fixture.runner.runtime.block_on(factor(instance.address, &instance.authorization, user, "HOTP"))?;
    let body = json!({ "factor_id": factor, "display_name": "bench" }).to_string();
    let enroller = |user: i64| {
        let create = request("POST", &format!("/api/1/users/{user}/otp_devices"), &instance.authorization, &body);
        Enroller { user, create, sent: 0 }
    };
    let mut users: Vec<Enroller> = enrollers.iter().map(|imported| enroller(imported.user)).collect();
    // The answers that the ceiling imitates: the larger ones of the two.
    let create = users.swap_remove(0).create;
    let echo = fixture.echo(&instance, &create, 200)?;
    let workloads = shares(users, CONNECTIONS).into_iter().map(|users| Enrolments {
        users,
        authorization: instance.authorization.clone(),
        turn: 0,
        confirming: None,
        is_confirmation: false,
        last: None,
    });
    let mut own = instance.load(workloads.collect());
    let mut ceiling = echo.load(Ask::for_echo(&create, CONNECTIONS));
    let comparison = fixture.comparison(&mut own, &mut ceiling)?;

    // Enrolled devices work: each code is accepted once, and the code that confirmed the device is not accepted again.
    let enrolled: Vec<Device> = own.workloads.into_iter().filter_map(|workload| workload.last).collect();
    ensure!(!enrolled.is_empty(), "no device was enrolled");
    fixture.replay(&instance, enrolled.clone())?;
    let connections = enrolled.len();
    let mut proof = instance.verifications(enrolled, connections, Traffic::FreshThenSpent);
    proof.window(&mut fixture.runner, std::time::Duration::from_millis(200))?;
    instance.server.ensure_alive()?;
    let what = format!(
        "enrolment (v1: create, confirm), {CONNECTIONS} connections: enrolments against requests of bare hyper"
    );
    let rows = vec![comparison.row(&what, Goal::AtLeast { hold: 0.06, aim: 0.12 })];
    let title = format!("{CONNECTIONS} connections; of enrolments, two requests count as one");
    Ok(Finding::new(NAME, rows, comparison.raw(&title, "countersign", &["bare hyper"])))
}

impl Workload for Enrolments {
    fn request(&mut self) -> Option<&[u8]> {
        self.is_confirmation = self.confirming.is_some();
        match &self.confirming {
            Some((confirm, _)) => Some(confirm),
            None => {
                self.turn = (self.turn + 1) % self.users.len();
                let next = &mut self.users[self.turn];
                if next.sent == MORE {
                    return None;
                }
                next.sent += 1;
                Some(&next.create)
            }
        }
    }

    fn check(&mut self, answer: &Answer<'_>) -> Result<Outcome> {
        if self.is_confirmation {
            self.last = self.confirming.take().map(|(_, device)| device);
            return accepted(answer).context("an enrolment was not confirmed");
        }
        ensure!(answer.status == 200, "a device was not created: {}", answer.shown());
        let created = answer.json()?;
        let created = &created["data"][0];
        let mut token = Token::new(&secret(created)?, 0);
        let user = self.users[self.turn].user;
        let device = created["id"].as_i64().context("a created device without id")?;
        let path = format!("/api/1/users/{user}/otp_devices/{device}/verify");
        let body = json!({ "state_token": created["state_token"], "otp_token": format!("{:06}", token.fresh()) });
        let confirm = request("POST", &path, &self.authorization, &body.to_string());
        let device = Device::new(token, user, |body| request("POST", &path, &self.authorization, body));
        self.confirming = Some((confirm, device));
        Ok(Outcome::Half)
    }
}
