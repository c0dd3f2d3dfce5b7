//! The secrets of devices by their marks: who has one, and the marks of devices that earlier versions have made.

use std::collections::HashMap;

use domain::{Change, Decision, Device, DeviceId, SecretMac, SecretMark, UserId};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::handle::{Store, forward};
use crate::error::Error;
use crate::rows;
use crate::schema::sql;
use crate::user_state::log_damage;
use crate::value::Value;

/// Secrets that are marked at once.
const AT_ONCE: usize = 256;

impl Store {
    /// Who has devices with these secrets, as committed at some recent moment. A secret without a device is not in it.
    pub async fn secret_holders(&self, secrets: &[SecretMac]) -> Result<HashMap<SecretMac, Vec<UserId>>, Error> {
        let rows = forward!(self.secret_holders(secrets))?;
        let mut holders: HashMap<SecretMac, Vec<UserId>> = HashMap::new();
        for (mac, user) in rows {
            let holders = holders.entry(mac).or_default();
            if !holders.contains(&user) {
                holders.push(user);
            }
        }
        Ok(holders)
    }

    /// How many devices make codes of a secret that has no mark yet.
    pub async fn unmarked_devices(&self) -> Result<u64, Error> {
        let found = self.find_number(sql::COUNT_UNMARKED, Vec::new()).await?;
        Ok(found.unwrap_or(0).unsigned_abs())
    }

    /// At most `limit` of them whose ids are greater than `after`, by ascending id.
    pub async fn unmarked_after(&self, after: DeviceId, limit: u32) -> Result<Vec<Device>, Error> {
        let params = vec![after.0.into(), Value::Int(limit.into())];
        let found = self.listed(sql::UNMARKED_DEVICES, params, rows::unmarked).await?;
        let mut devices = Vec::with_capacity(found.len());
        for (device, user) in found {
            match self.view(user).await {
                Ok(view) => devices.extend(view.device(device).cloned()),
                // Nothing can be used of it.
                Err(error @ Error::Corrupt(_)) => log_damage(user, error),
                Err(error) => return Err(error),
            }
        }
        Ok(devices)
    }

    /// Marks the secrets of devices that have no mark yet.
    pub async fn mark_secrets(&self, marks: Vec<(UserId, DeviceId, SecretMark)>) -> Result<(), Error> {
        let marked = marks.into_iter().map(|(user, device, secret)| {
            self.decide(user, move |view| {
                // Another node may have been faster, or the device may be gone.
                let is_unmarked = view.device(device).is_some_and(|device| device.secret.is_none());
                let changes = is_unmarked.then_some(Change::MarkSecret { device, secret });
                Decision::reply(()).with_all(changes)
            })
        });
        // So many at once that they share commits, and no more than may wait for one.
        stream::iter(marked).map(Ok).try_for_each_concurrent(AT_ONCE, |marked| marked).await
    }
}
