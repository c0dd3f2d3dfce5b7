//! A wrong code, counted on the disk before the answer, against bare hyper. Five wrong codes lock a device, and twenty in
//! an hour lock its user, so every device gets four and every user has four devices. Afterwards the fifth wrong code must
//! lock the device, and none before: this shows that all were counted.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};

use crate::device::Device;
use crate::fixture::{CONNECTIONS, Fixture, Instance};
use crate::row::{Finding, Goal};
use crate::stats::whole;
use crate::wire::{Answer, Connection};
use crate::workload::{Ask, Outcome, Workload, accepted, shares};

pub(super) const NAME: &str = "wrong";

/// Wrong codes for a device without a lock.
const GUESSES: usize = 4;
/// Devices of a user: together they get sixteen wrong codes, and twenty lock the user.
const PER_USER: usize = 4;
/// More guesses a second than any current machine can answer.
const FASTEST: f64 = 70_000.0;

/// A device and wrong codes for it: one more than the load sends.
struct Guessed {
    device: Device,
    guesses: Vec<u32>,
    sent: usize,
}

/// Wrong codes for devices in turn.
struct Guesses {
    devices: Vec<Guessed>,
    turn: usize,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let needed = (whole(FASTEST * fixture.side_time()) / GUESSES).next_multiple_of(PER_USER);
    let installation = fixture.installation(needed.max(CONNECTIONS * PER_USER), PER_USER)?;
    let mut instance = installation.open(fixture, CONNECTIONS)?;
    let mut devices: Vec<Guessed> = instance.devices(&installation.dataset.devices)?.into_iter().map(guessed).collect();
    // All answers have the same length.
    let first = devices.pop().context("there are devices")?;
    let request = first.device.clone().request_with(first.guesses[0]).to_vec();
    let echo = fixture.echo(&instance, &request, 401)?;
    let workloads = shares(devices, CONNECTIONS).into_iter().map(|devices| Guesses { devices, turn: 0 });
    let mut own = instance.load(workloads.collect());
    let mut ceiling = echo.load(Ask::for_echo(&request, CONNECTIONS));
    let comparison = fixture.comparison(&mut own, &mut ceiling)?;
    let devices = own.workloads.into_iter().flat_map(|workload| workload.devices);
    look_for_locks(fixture, &instance, devices)?;
    instance.server.ensure_alive()?;
    let what = format!("wrong code (v1), counted durably, {CONNECTIONS} connections, against bare hyper");
    let rows = vec![comparison.row(&what, Goal::AtLeast { hold: 0.30, aim: 0.40 })];
    Ok(Finding::new(NAME, rows, comparison.raw(&format!("{CONNECTIONS} connections"), "countersign", &["bare hyper"])))
}

fn guessed(device: Device) -> Guessed {
    let guesses = device.wrong(GUESSES + 1);
    Guessed { device, guesses, sent: 0 }
}

impl Workload for Guesses {
    fn request(&mut self) -> Option<&[u8]> {
        self.turn = (self.turn + 1) % self.devices.len();
        let next = &mut self.devices[self.turn];
        if next.sent == GUESSES {
            // They are sent in turn, so all other devices have got theirs too.
            return None;
        }
        next.sent += 1;
        Some(next.device.request_with(next.guesses[next.sent - 1]))
    }

    fn check(&mut self, answer: &Answer<'_>) -> Result<Outcome> {
        refused_and_open(answer)?;
        Ok(Outcome::Done)
    }
}

fn refused_and_open(answer: &Answer<'_>) -> Result<()> {
    ensure!(answer.status == 401, "a wrong code was answered {}", answer.shown());
    ensure!(!answer.has_field("retry-after"), "a device was locked before its fifth wrong code");
    Ok(())
}

/// Brings one device of some users to its fourth wrong code. Then half of them must still accept a valid code, and the
/// others, after a fifth wrong one, must not.
fn look_for_locks(fixture: &mut Fixture, instance: &Instance, devices: impl Iterator<Item = Guessed>) -> Result<()> {
    let mut users = HashSet::new();
    let sample: Vec<Guessed> = devices
        .filter(|guessed| guessed.sent > 0 && users.insert(guessed.device.user))
        .take(fixture.size.checked)
        .collect();
    let address = instance.address;
    let runner = &mut fixture.runner;
    runner.runtime.block_on(async {
        let mut line = Connection::open(address).await?;
        for (number, guessed) in sample.into_iter().enumerate() {
            let user = guessed.device.user;
            let outcome = look_for_lock(&mut line, guessed, number % 2 == 0).await;
            runner.results.check(outcome.with_context(|| format!("user {user}")));
        }
        Ok(())
    })
}

async fn look_for_lock(line: &mut Connection, guessed: Guessed, fifth: bool) -> Result<()> {
    let Guessed { mut device, guesses, sent } = guessed;
    let last = if fifth { GUESSES + 1 } else { GUESSES };
    for guess in &guesses[sent..last] {
        let answer = line.exchange(device.request_with(*guess)).await?;
        ensure!(answer.status == 401, "a wrong code was answered {}", answer.shown());
    }
    let answer = line.exchange(device.fresh()).await?;
    if !fifth {
        accepted(&answer).context("after four wrong codes")?;
        return Ok(());
    }
    let locked = answer.status == 401 && answer.has_field("retry-after");
    ensure!(locked, "five wrong codes did not lock the device, so not all were counted: {}", answer.shown());
    Ok(())
}
