//! A valid HOTP code over version 1, on the disk before the answer, against bare hyper.

use anyhow::Result;

use crate::fixture::Fixture;
use crate::row::{Finding, Goal};
use crate::workload::Codes;

pub(super) const NAME: &str = "verify";

/// Numbers of connections, and their goals.
const GOALS: [(usize, Goal); 2] =
    [(256, Goal::AtLeast { hold: 0.40, aim: 0.55 }), (64, Goal::AtLeast { hold: 0.30, aim: 0.45 })];

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let installation = fixture.installation(fixture.size.few, 1)?;
    let mut instance = installation.open(fixture, 256)?;
    let mut devices = instance.devices(&installation.dataset.devices)?;
    let echo = fixture.echo(&instance, devices[0].fresh(), 200)?;
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    for (connections, goal) in GOALS {
        let mut own = instance.verifications(devices, connections, fixture.traffic());
        let mut ceiling = echo.load(Codes::for_echo(&own.workloads));
        let comparison = fixture.comparison(&mut own, &mut ceiling)?;
        devices = Codes::gathered(own.workloads);
        rows.push(
            comparison.row(&format!("durable HOTP verify (v1), {connections} connections, against bare hyper"), goal),
        );
        raw.extend(comparison.raw(&format!("{connections} connections"), "countersign", "bare hyper"));
    }
    fixture.replay(&instance, devices)?;
    instance.server.ensure_alive()?;
    Ok(Finding::new(NAME, rows, raw))
}
