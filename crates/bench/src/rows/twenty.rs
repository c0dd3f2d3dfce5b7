//! Verifications of users with twenty devices, against users with one: what is kept of a user grows with their devices, and
//! each decision reads it and writes it back.

use anyhow::Result;

use crate::fixture::{CONNECTIONS, Fixture};
use crate::row::{Finding, Goal};
use crate::workload::Codes;

pub(super) const NAME: &str = "twenty";

/// As many as a user may have.
const DEVICES: usize = 20;

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let (many, one) = (fixture.installation(fixture.size.many, DEVICES)?, fixture.installation(fixture.size.few, 1)?);
    let (mut many_instance, mut one_instance) = (many.open(fixture, CONNECTIONS)?, one.open(fixture, CONNECTIONS)?);
    let (devices, traffic) = (many_instance.devices(&many.dataset.devices)?, fixture.traffic());
    let mut own = many_instance.verifications(devices, CONNECTIONS, traffic);
    let mut other = one_instance.verifications(one_instance.devices(&one.dataset.devices)?, CONNECTIONS, traffic);
    let comparison = fixture.comparison(&mut own, &mut other)?;
    for (instance, workloads) in [(&mut many_instance, own.workloads), (&mut one_instance, other.workloads)] {
        fixture.replay(instance, Codes::gathered(workloads))?;
        instance.server.ensure_alive()?;
    }
    let what = format!("verify of users with {DEVICES} devices, {CONNECTIONS} connections, against users with one");
    let rows = vec![comparison.row(&what, Goal::AtLeast { hold: 0.6, aim: 0.8 })];
    let title = format!("{CONNECTIONS} connections; {} devices, {DEVICES} a user", many.dataset.devices.len());
    Ok(Finding::new(NAME, rows, comparison.raw(&title, "twenty", &["one"])))
}
