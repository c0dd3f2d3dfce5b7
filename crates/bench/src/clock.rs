//! The time of load programs: real time, as in all of xtask.

use std::time::Duration;

pub(crate) use xtask::clock::{now, pause};

/// Waits, while other tasks go on.
#[expect(clippy::disallowed_methods, reason = "a load program waits in real time, and the product's clock can be set")]
pub(crate) async fn rest(time: Duration) {
    tokio::time::sleep(time).await;
}
