//! The dev world's own tables and clock. Never used for a served database (decision 4).

use super::handle::{Store, forward};
use crate::dev_clock::{DEV_CLOCK, DevClock};
use crate::error::Error;
use crate::query::{DevFilter, DevMessage};

impl Store {
    /// Makes the dev world's own tables. Never called for a served database (decision 4).
    pub async fn dev_prepare(&self) -> Result<(), Error> {
        forward!(self.dev_prepare())
    }

    /// Whether the dev world's own tables are here.
    pub(super) async fn has_dev_tables(&self) -> Result<bool, Error> {
        forward!(self.has_dev_tables())
    }

    /// Records what the dev world's last hop would have sent, and gives it its id.
    pub async fn dev_record(&self, message: DevMessage) -> Result<i64, Error> {
        forward!(self.dev_record(message))
    }

    /// What the dev world's last hop would have sent, oldest first.
    pub async fn dev_outbox(&self, filter: &DevFilter) -> Result<Vec<DevMessage>, Error> {
        forward!(self.dev_outbox(filter))
    }

    /// The setting of the dev world's clock.
    pub async fn dev_clock(&self) -> Result<DevClock, Error> {
        DevClock::unpack(self.meta(DEV_CLOCK).await?)
    }

    /// Sets the dev world's clock.
    pub async fn set_dev_clock(&self, clock: DevClock) -> Result<(), Error> {
        self.set_meta(DEV_CLOCK, &clock.pack()).await
    }

    /// Puts the dev world back to its start: keeps clients and users, lifts locks, forgets devices, verifications,
    /// tokens, limits, messages and the clock (decision 4).
    pub async fn dev_reset(&self) -> Result<(), Error> {
        forward!(self.dev_reset())
    }
}
