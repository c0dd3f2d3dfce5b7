//! Enrolling a device over the API, which takes two requests (create, confirm), against verifications on the same
//! server.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::CONNECTIONS;
use crate::bench::alternate::Side as _;
use crate::bench::device::{Device, Token};
use crate::bench::enrol::{factor, secret};
use crate::bench::errand::{Errand, Judged, Traffic, accepted, shares};
use crate::bench::hall::Hall;
use crate::bench::row::Goal;
use crate::bench::suite::Finding;
use crate::bench::wire::{Answer, request};

pub(super) const NAME: &str = "enrol";

/// Devices that a user who has one may have besides.
const MORE: usize = 19;

/// A user, the request that enrols a device of theirs, and how often it was sent.
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
    /// The second half of the pair under way, and what it will confirm.
    confirming: Option<(Vec<u8>, Device)>,
    is_confirmation: bool,
    /// The device confirmed last.
    last: Option<Device>,
}

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let installation = hall.installation(hall.size.many, 1)?;
    let mut house = installation.open(hall, CONNECTIONS)?;
    let (verifiers, enrollers) = installation.people.devices.split_at(hall.size.few.min(hall.size.many / 2));
    let user = enrollers.first().context("there are users")?.user;
    let factor = hall.stage.runtime.block_on(factor(house.address, &house.authorization, user, "HOTP"))?;
    let body = json!({ "factor_id": factor, "display_name": "bench" }).to_string();
    let enroller = |user: i64| {
        let create = request("POST", &format!("/api/1/users/{user}/otp_devices"), &house.authorization, &body);
        Enroller { user, create, sent: 0 }
    };
    let users: Vec<Enroller> = enrollers.iter().map(|imported| enroller(imported.user)).collect();
    let errands = shares(users, CONNECTIONS).into_iter().map(|users| Enrolments {
        users,
        authorization: house.authorization.clone(),
        turn: 0,
        confirming: None,
        is_confirmation: false,
        last: None,
    });
    let mut own = house.load(errands.collect());
    let mut other = house.verifications(house.devices(verifiers)?, CONNECTIONS, hall.traffic());
    let duel = hall.duel(&mut own, &mut other)?;

    // What was enrolled is in use: it accepts each code once, and the code that confirmed it not again.
    let enrolled: Vec<Device> = own.errands.into_iter().filter_map(|errand| errand.last).collect();
    ensure!(!enrolled.is_empty(), "nobody was enrolled");
    hall.replay(&house, enrolled.clone())?;
    let connections = enrolled.len();
    let mut proof = house.verifications(enrolled, connections, Traffic::FreshThenSpent);
    proof.window(&mut hall.stage, std::time::Duration::from_millis(200))?;
    house.server.ensure_alive()?;
    let what = format!("enrolment (v1: create, confirm), {CONNECTIONS} connections, against verify");
    let rows = vec![duel.row(&what, Goal::AtLeast { hold: 0.10, aim: 0.25 })];
    let title = format!("{CONNECTIONS} connections; of enrolments, two requests count as one");
    Ok(Finding::new(NAME, rows, duel.raw(&title, "enrolment", "verify")))
}

impl Errand for Enrolments {
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

    fn judge(&mut self, answer: &Answer<'_>) -> Result<Judged> {
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
        Ok(Judged::Half)
    }
}
