//! A verification over version 2: one request opens it, a second answers it with the code. Pairs a second against
//! requests a second of bare hyper.

use anyhow::{Context as _, Result, ensure};

use crate::device::{Device, Token};
use crate::fixture::{CONNECTIONS, Fixture};
use crate::population::ImportedDevice;
use crate::row::{Finding, Goal};
use crate::wire::{Answer, request};
use crate::workload::{Ask, Outcome, Workload, accepted, shares};

pub(super) const NAME: &str = "pair";

/// The start of the answer that opens a verification.
const ID: &[u8] = br#"{"id":""#;

/// A device and the request that opens a verification of it.
struct Opener {
    token: Token,
    path: String,
    open: Vec<u8>,
    /// The same device in version 1, to replay its codes.
    v1: Device,
}

/// Verifications of devices in turn.
struct Pairs {
    devices: Vec<Opener>,
    authorization: String,
    turn: usize,
    /// The second request of the current pair.
    answering: Option<Vec<u8>>,
    is_answer: bool,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let installation = fixture.installation(fixture.size.few, 1)?;
    let mut instance = installation.open(fixture, CONNECTIONS)?;
    let opener = |imported: &ImportedDevice| opener(imported, &instance.authorization);
    let devices = installation.dataset.devices.iter().map(opener).collect::<Result<Vec<_>>>()?;
    let open = devices[0].open.clone();
    let echo = fixture.echo(&instance, &open, 201)?;
    let workloads = shares(devices, CONNECTIONS).into_iter().map(|devices| Pairs {
        devices,
        authorization: instance.authorization.clone(),
        turn: 0,
        answering: None,
        is_answer: false,
    });
    let mut own = instance.load(workloads.collect());
    let mut ceiling = echo.load(Ask::for_echo(&open, CONNECTIONS));
    let comparison = fixture.comparison(&mut own, &mut ceiling)?;
    // Both versions are doors to one instance: what was spent by the one is spent for the other.
    fixture.replay(&instance, own.workloads.into_iter().flat_map(Pairs::spent).collect())?;
    instance.server.ensure_alive()?;
    let what =
        format!("v2 verification, POST and PUT, {CONNECTIONS} connections: pairs against requests of bare hyper");
    let rows = vec![comparison.row(&what, Goal::AtLeast { hold: 0.14, aim: 0.22 })];
    let title = format!("{CONNECTIONS} connections; of Countersign, two requests count as one");
    Ok(Finding::new(NAME, rows, comparison.raw(&title, "countersign", &["bare hyper"])))
}

fn opener(imported: &ImportedDevice, authorization: &str) -> Result<Opener> {
    let path = format!("/api/2/mfa/users/{}/verifications", imported.user);
    let open = request("POST", &path, authorization, &format!(r#"{{"device_id":"{}"}}"#, imported.device));
    Ok(Opener { token: imported.token()?, path, open, v1: imported.device(authorization)? })
}

impl Pairs {
    /// Devices whose last code was accepted here.
    fn spent(mut self) -> Vec<Device> {
        if self.answering.is_some() {
            // Its code was not sent.
            self.devices.swap_remove(self.turn);
        }
        self.devices.into_iter().map(|opener| opener.v1.with(opener.token)).collect()
    }
}

impl Workload for Pairs {
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

    fn check(&mut self, answer: &Answer<'_>) -> Result<Outcome> {
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
        Ok(Outcome::Half)
    }
}
