//! Resident memory of the server with many devices: at rest, and its peak under load.

use std::time::Duration;

use anyhow::Result;

use crate::clock;
use crate::compare::Side as _;
use crate::fixture::{CONNECTIONS, Fixture};
use crate::process::memory;
use crate::row::{Finding, Goal, Row, Unit};
use crate::stats::{count, listed};
use crate::workload::Codes;

pub(super) const NAME: &str = "memory";

/// Most starts of the server; each is driven for two windows.
const TRIES: usize = 3;

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let installation = fixture.installation(fixture.size.many, 1)?;
    let (mut rest, mut load) = (Vec::new(), Vec::new());
    let mut used = 0;
    for _ in 0..fixture.size.pairs.min(TRIES) {
        let instance = installation.open(fixture, CONNECTIONS)?;
        // Each try uses other devices, whose codes are fresh.
        let share = installation.dataset.devices.len() / TRIES;
        let devices = instance.devices(&installation.dataset.devices[used..used + share])?;
        used += share;
        let mut workloads = instance.verifications(devices, CONNECTIONS, fixture.traffic());
        clock::pause(Duration::from_millis(500));
        rest.push(mebibytes(memory(instance.server.pid())?.0));
        for _ in 0..2 {
            workloads.window(&mut fixture.runner, fixture.size.window)?;
        }
        load.push(mebibytes(memory(instance.server.pid())?.1));
        fixture.replay(&instance, Codes::gathered(workloads.workloads))?;
        instance.server.stop()?;
    }
    let raw = vec![
        format!("{} devices, {CONNECTIONS} connections", fixture.size.many),
        format!("  at rest, MiB: {}", listed(&rest, 1)),
        format!("  at its highest under load, MiB: {}", listed(&load, 1)),
    ];
    let rows = vec![
        Row::new(
            "resident memory, 100,000 devices, under verify load",
            Unit::Mebibytes,
            Goal::AtMost { hold: 72.0, aim: 48.0 },
            load,
        ),
        Row::new("the same at rest", Unit::Mebibytes, Goal::AtMost { hold: 32.0, aim: 24.0 }, rest),
    ];
    Ok(Finding::new(NAME, rows, raw))
}

fn mebibytes(kibibytes: u64) -> f64 {
    count(kibibytes) / 1024.0
}
