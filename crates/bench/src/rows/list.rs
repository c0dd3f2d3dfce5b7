//! A user's devices over version 1, which only reads, against bare hyper.

use anyhow::Result;

use crate::fixture::{CONNECTIONS, Fixture};
use crate::row::{Finding, Goal};
use crate::wire::request;
use crate::workload::Ask;

pub(super) const NAME: &str = "list";

/// A text in the answer for a user with a device.
const LISTED: &str = r#""needs_trigger":"#;

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let installation = fixture.installation(fixture.size.few, 1)?;
    let mut instance = installation.open(fixture, CONNECTIONS)?;
    let asked = |user: i64| request("GET", &format!("/api/1/users/{user}/otp_devices"), &instance.authorization, "");
    let requests: Vec<Vec<u8>> = installation.dataset.devices.iter().map(|device| asked(device.user)).collect();
    let echo = fixture.echo(&instance, &requests[0], 200)?;
    let mut ceiling = echo.load(Ask::for_echo(&requests[0], CONNECTIONS));
    let mut own = instance.load(Ask::shared(requests, CONNECTIONS, (200, LISTED)));
    let comparison = fixture.comparison(&mut own, &mut ceiling)?;
    instance.server.ensure_alive()?;
    let what = format!("list devices (v1), {CONNECTIONS} connections, against bare hyper");
    let rows = vec![comparison.row(&what, Goal::AtLeast { hold: 0.56, aim: 0.75 })];
    Ok(Finding::new(NAME, rows, comparison.raw(&format!("{CONNECTIONS} connections"), "countersign", &["bare hyper"])))
}
