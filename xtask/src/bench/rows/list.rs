//! A user's devices over version 1, which only reads, against bare hyper.

use anyhow::Result;

use super::CONNECTIONS;
use crate::bench::errand::Ask;
use crate::bench::hall::Hall;
use crate::bench::row::Goal;
use crate::bench::suite::Finding;
use crate::bench::wire::request;

pub(super) const NAME: &str = "list";

/// What stands in the answer for a user with a device.
const LISTED: &str = r#""needs_trigger":"#;

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let installation = hall.installation(hall.size.few, 1)?;
    let mut house = installation.open(hall, CONNECTIONS)?;
    let asked = |user: i64| request("GET", &format!("/api/1/users/{user}/otp_devices"), &house.authorization, "");
    let requests: Vec<Vec<u8>> = installation.people.devices.iter().map(|device| asked(device.user)).collect();
    let echo = hall.echo(&house, &requests[0], 200)?;
    let mut ceiling = echo.load(Ask::for_echo(&requests[0], CONNECTIONS));
    let mut own = house.load(Ask::shared(requests, CONNECTIONS, (200, LISTED)));
    let duel = hall.duel(&mut own, &mut ceiling)?;
    house.server.ensure_alive()?;
    let what = format!("list devices (v1), {CONNECTIONS} connections, against bare hyper");
    let rows = vec![duel.row(&what, Goal::AtLeast { hold: 0.50, aim: 0.65 })];
    Ok(Finding::new(NAME, rows, duel.raw(&format!("{CONNECTIONS} connections"), "countersign", "bare hyper")))
}
