//! Resident memory of the server with many devices: once it has answered, and at its highest under load.

use std::time::Duration;

use anyhow::Result;

use super::CONNECTIONS;
use crate::bench::alternate::Side as _;
use crate::bench::errand::Codes;
use crate::bench::hall::Hall;
use crate::bench::process::memory;
use crate::bench::report::{count, listed};
use crate::bench::row::{Goal, Row, Unit};
use crate::bench::suite::Finding;
use crate::clock;

pub(super) const NAME: &str = "memory";

/// Most starts of the server; each is driven for two windows.
const TRIES: usize = 3;

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let installation = hall.installation(hall.size.many, 1)?;
    let (mut rest, mut load) = (Vec::new(), Vec::new());
    let mut used = 0;
    for _ in 0..hall.size.pairs.min(TRIES) {
        let house = installation.open(hall, CONNECTIONS)?;
        // Each try has devices of its own, whose codes are fresh.
        let share = installation.people.devices.len() / TRIES;
        let devices = house.devices(&installation.people.devices[used..used + share])?;
        used += share;
        let mut errands = house.verifications(devices, CONNECTIONS, hall.traffic());
        clock::pause(Duration::from_millis(500));
        rest.push(mebibytes(memory(house.server.pid())?.0));
        for _ in 0..2 {
            errands.window(&mut hall.stage, hall.size.window)?;
        }
        load.push(mebibytes(memory(house.server.pid())?.1));
        hall.replay(&house, Codes::gathered(errands.errands))?;
        house.server.stop()?;
    }
    let raw = vec![
        format!("{} devices, {CONNECTIONS} connections", hall.size.many),
        format!("  at rest, MiB: {}", listed(&rest, 1)),
        format!("  at its highest under load, MiB: {}", listed(&load, 1)),
    ];
    let rows = vec![
        Row::new(
            "resident memory, 100,000 devices, under verify load",
            Unit::Mebibytes,
            Goal::AtMost { hold: 80.0, aim: 48.0 },
            load,
        ),
        Row::new("the same at rest", Unit::Mebibytes, Goal::AtMost { hold: 40.0, aim: 25.0 }, rest),
    ];
    Ok(Finding::new(NAME, rows, raw))
}

fn mebibytes(kibibytes: u64) -> f64 {
    count(kibibytes) / 1024.0
}
