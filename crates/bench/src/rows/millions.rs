//! Verifications on an installation with millions of devices, against one with 10,000: the larger one has to find more
//! pages.

use anyhow::Result;

use crate::fixture::{CONNECTIONS, Fixture};
use crate::row::{Finding, Goal, Row, Unit};
use crate::workload::Codes;

pub(super) const NAME: &str = "millions";

const WHAT: &str = "verify at 5,000,000 devices, against 10,000";
const GOAL: Goal = Goal::AtLeast { hold: 0.65, aim: 0.85 };

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let Some(millions) = fixture.size.millions else {
        let why = "left out (--five-million)";
        return Ok(Finding::new(NAME, vec![Row::not_measured(WHAT, Unit::Part, GOAL, why)], vec![why.to_owned()]));
    };
    let large = fixture.installation(millions, 1)?;
    let small = fixture.installation(fixture.size.few, 1)?;
    let (mut large_instance, mut small_instance) =
        (large.open(fixture, CONNECTIONS)?, small.open(fixture, CONNECTIONS)?);
    let mut own =
        large_instance.verifications(large_instance.devices(&large.dataset.devices)?, CONNECTIONS, fixture.traffic());
    let mut other =
        small_instance.verifications(small_instance.devices(&small.dataset.devices)?, CONNECTIONS, fixture.traffic());
    let comparison = fixture.comparison(&mut own, &mut other)?;
    for (instance, workloads) in [(&mut large_instance, own.workloads), (&mut small_instance, other.workloads)] {
        fixture.replay(instance, Codes::gathered(workloads))?;
        instance.server.ensure_alive()?;
    }
    let title = format!(
        "{CONNECTIONS} connections; of {millions} devices {} are driven, in no order",
        large.dataset.devices.len()
    );
    Ok(Finding::new(NAME, vec![comparison.row(WHAT, GOAL)], comparison.raw(&title, "large", &["small"])))
}
