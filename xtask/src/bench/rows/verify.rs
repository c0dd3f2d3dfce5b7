//! A right HOTP code over version 1, recorded on the disk before it is answered, against bare hyper.

use anyhow::Result;

use crate::bench::errand::Codes;
use crate::bench::hall::Hall;
use crate::bench::row::Goal;
use crate::bench::suite::Finding;

pub(super) const NAME: &str = "verify";

/// Numbers of connections, and what is to be reached over them.
const GOALS: [(usize, Goal); 2] =
    [(256, Goal::AtLeast { hold: 0.40, aim: 0.55 }), (64, Goal::AtLeast { hold: 0.30, aim: 0.45 })];

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let installation = hall.installation(hall.size.few, 1)?;
    let mut house = installation.open(hall, 256)?;
    let mut devices = house.devices(&installation.people.devices)?;
    let echo = hall.echo(&house, devices[0].fresh(), 200)?;
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    for (connections, goal) in GOALS {
        let mut own = house.verifications(devices, connections, hall.traffic());
        let mut ceiling = echo.load(Codes::for_echo(&own.errands));
        let duel = hall.duel(&mut own, &mut ceiling)?;
        devices = Codes::gathered(own.errands);
        rows.push(duel.row(&format!("durable HOTP verify (v1), {connections} connections, against bare hyper"), goal));
        raw.extend(duel.raw(&format!("{connections} connections"), "countersign", "bare hyper"));
    }
    hall.replay(&house, devices)?;
    house.server.ensure_alive()?;
    Ok(Finding::new(NAME, rows, raw))
}
