//! Verifications on an installation with millions of devices, against one with ten thousand: what the larger one costs
//! is pages that have to be found.

use anyhow::Result;

use super::CONNECTIONS;
use crate::bench::errand::Codes;
use crate::bench::hall::Hall;
use crate::bench::row::{Goal, Row, Unit};
use crate::bench::suite::Finding;

pub(super) const NAME: &str = "millions";

const WHAT: &str = "verify at 5,000,000 devices, against 10,000";
/// 0.6 was to hold if a table of counters beside the users helped. It was measured, and it does not: docs/speed.md.
const GOAL: Goal = Goal::AtLeast { hold: 0.45, aim: 0.85 };

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let Some(millions) = hall.size.millions else {
        let why = "left out (--five-million)";
        return Ok(Finding::new(NAME, vec![Row::not_measured(WHAT, Unit::Part, GOAL, why)], vec![why.to_owned()]));
    };
    let large = hall.installation(millions, 1)?;
    let small = hall.installation(hall.size.few, 1)?;
    let (mut large_house, mut small_house) = (large.open(hall, CONNECTIONS)?, small.open(hall, CONNECTIONS)?);
    let mut own = large_house.verifications(large_house.devices(&large.people.devices)?, CONNECTIONS, hall.traffic());
    let mut other = small_house.verifications(small_house.devices(&small.people.devices)?, CONNECTIONS, hall.traffic());
    let duel = hall.duel(&mut own, &mut other)?;
    for (house, errands) in [(&mut large_house, own.errands), (&mut small_house, other.errands)] {
        hall.replay(house, Codes::gathered(errands))?;
        house.server.ensure_alive()?;
    }
    let title = format!(
        "{CONNECTIONS} connections; of {millions} devices {} are driven, in no order",
        large.people.devices.len()
    );
    Ok(Finding::new(NAME, vec![duel.row(WHAT, GOAL)], duel.raw(&title, "large", "small")))
}
