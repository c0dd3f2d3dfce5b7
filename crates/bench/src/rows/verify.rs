//! A valid HOTP code over version 1, on the disk before the answer, against bare hyper and against the sketch of a server
//! that does no more than must be.

use anyhow::Result;

use crate::fixture::{CONNECTIONS, Fixture};
use crate::row::{Finding, Goal};
use crate::workload::Codes;

pub(super) const NAME: &str = "verify";

/// Against bare hyper, with the usual number of connections and with fewer.
const MANY: Goal = Goal::AtLeast { hold: 0.34, aim: 0.42 };
const FEW: Goal = Goal::AtLeast { hold: 0.29, aim: 0.37 };
const FEWER: usize = 64;
/// Against the sketch, with the usual number.
const SKETCH: Goal = Goal::AtLeast { hold: 0.78, aim: 1.0 };
/// Microseconds of CPU that the server uses for each, with the usual number.
const CPU: Goal = Goal::AtMost { hold: 24.0, aim: 18.0 };

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let installation = fixture.installation(fixture.size.few, 1)?;
    let mut instance = installation.open(fixture, CONNECTIONS)?;
    let mut devices = instance.devices(&installation.dataset.devices)?;
    let echo = fixture.echo(&instance, devices[0].fresh(), 200)?;
    let sketch = fixture.sketch(&instance, &installation.dataset.devices, &echo)?;
    let mut sketched = instance.devices(&installation.dataset.devices)?;
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    for connections in [CONNECTIONS, FEWER] {
        let mut own = instance.verifications(devices, connections, fixture.traffic());
        let mut ceiling = echo.load(Codes::for_echo(&own.workloads));
        let mut minimum = sketch.load(Codes::shared(sketched, connections, fixture.traffic()));
        let comparison = fixture.comparisons(&mut own, &mut [&mut ceiling, &mut minimum])?;
        devices = Codes::gathered(own.workloads);
        sketched = Codes::gathered(minimum.workloads);
        let what = format!("durable HOTP verify (v1), {connections} connections");
        if connections == CONNECTIONS {
            rows.push(comparison.row(&format!("{what}, against bare hyper"), MANY));
            rows.push(comparison.row_against(1, "the same, against the sketch of a server", SKETCH));
            rows.push(comparison.cpu_row("server CPU for each of these, on a quiet machine", CPU));
        } else {
            rows.push(comparison.row(&format!("{what}, against bare hyper"), FEW));
        }
        raw.extend(comparison.raw(&format!("{connections} connections"), "countersign", &["bare hyper", "sketch"]));
    }
    fixture.replay(&instance, devices)?;
    instance.server.ensure_alive()?;
    Ok(Finding::new(NAME, rows, raw))
}
