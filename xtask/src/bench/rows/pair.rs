//! A verification over version 2: one request opens it, a second answers it with the code. Pairs a second against
//! requests a second of bare hyper.

use anyhow::{Context as _, Result, ensure};

use super::CONNECTIONS;
use crate::bench::device::{Device, Token};
use crate::bench::errand::{Ask, Errand, Judged, accepted, shares};
use crate::bench::hall::Hall;
use crate::bench::population::Imported;
use crate::bench::row::Goal;
use crate::bench::suite::Finding;
use crate::bench::wire::{Answer, request};

pub(super) const NAME: &str = "pair";

/// What an open verification's answer begins with.
const ID: &[u8] = br#"{"id":""#;

/// A device and the request that opens a verification of it.
struct Opener {
    token: Token,
    path: String,
    open: Vec<u8>,
    /// For the codes that must not be accepted again.
    v1: Device,
}

/// Verifications of devices in turn.
struct Pairs {
    devices: Vec<Opener>,
    authorization: String,
    turn: usize,
    /// The second half of the pair under way.
    answering: Option<Vec<u8>>,
    is_answer: bool,
}

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let installation = hall.installation(hall.size.few, 1)?;
    let mut house = installation.open(hall, CONNECTIONS)?;
    let opener = |imported: &Imported| opener(imported, &house.authorization);
    let devices = installation.people.devices.iter().map(opener).collect::<Result<Vec<_>>>()?;
    let open = devices[0].open.clone();
    let echo = hall.echo(&house, &open, 201)?;
    let errands = shares(devices, CONNECTIONS).into_iter().map(|devices| Pairs {
        devices,
        authorization: house.authorization.clone(),
        turn: 0,
        answering: None,
        is_answer: false,
    });
    let mut own = house.load(errands.collect());
    let mut ceiling = echo.load(Ask::for_echo(&open, CONNECTIONS));
    let duel = hall.duel(&mut own, &mut ceiling)?;
    // Both versions are doors to one house: what was spent by the one is spent for the other.
    hall.replay(&house, own.errands.into_iter().flat_map(Pairs::spent).collect())?;
    house.server.ensure_alive()?;
    let what =
        format!("v2 verification, POST and PUT, {CONNECTIONS} connections: pairs against requests of bare hyper");
    let rows = vec![duel.row(&what, Goal::AtLeast { hold: 0.15, aim: 0.25 })];
    let title = format!("{CONNECTIONS} connections; of Countersign, two requests count as one");
    Ok(Finding::new(NAME, rows, duel.raw(&title, "countersign", "bare hyper")))
}

fn opener(imported: &Imported, authorization: &str) -> Result<Opener> {
    let path = format!("/api/2/mfa/users/{}/verifications", imported.user);
    let open = request("POST", &path, authorization, &format!(r#"{{"device_id":"{}"}}"#, imported.device));
    Ok(Opener { token: imported.token()?, path, open, v1: imported.device(authorization)? })
}

impl Pairs {
    /// Devices whose last code was accepted here.
    fn spent(mut self) -> Vec<Device> {
        if self.answering.is_some() {
            // Its code was made and not sent.
            self.devices.swap_remove(self.turn);
        }
        self.devices.into_iter().map(|opener| opener.v1.with(opener.token)).collect()
    }
}

impl Errand for Pairs {
    fn request(&mut self) -> Option<&[u8]> {
        self.is_answer = self.answering.is_some();
        match &self.answering {
            Some(answer) => Some(answer),
            None => {
                self.turn = (self.turn + 1) % self.devices.len();
                Some(&self.devices[self.turn].open)
            }
        }
    }

    fn judge(&mut self, answer: &Answer<'_>) -> Result<Judged> {
        if self.is_answer {
            self.answering = None;
            return accepted(answer);
        }
        ensure!(answer.status == 201, "a verification was not opened: {}", answer.shown());
        let opener = &mut self.devices[self.turn];
        let id = answer.body.strip_prefix(ID).and_then(|rest| rest.split(|byte| *byte == b'"').next());
        let id = id.and_then(|id| std::str::from_utf8(id).ok()).context("an opened verification without an id")?;
        let body = format!(r#"{{"otp":"{:06}"}}"#, opener.token.fresh());
        self.answering = Some(request("PUT", &format!("{}/{id}", opener.path), &self.authorization, &body));
        Ok(Judged::Half)
    }
}
