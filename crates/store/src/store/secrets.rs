//! The secrets of devices by their marks: who has one, and the marks of devices that earlier versions have made.

use std::collections::HashMap;

use domain::{Device, DeviceId, SecretMac, SecretMark, UserId};

use super::handle::{Store, forward};
use crate::apply;
use crate::error::Error;
use crate::schema::sql;
use crate::value::Value;

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

    /// At most `limit` of them whose ids are greater than `after`, by ascending id. Their counters are not looked at.
    pub async fn unmarked_after(&self, after: DeviceId, limit: u32) -> Result<Vec<Device>, Error> {
        let params = vec![after.0.into(), Value::Int(limit.into())];
        self.listed(sql::UNMARKED_DEVICES, params, crate::rows::device).await
    }

    /// Marks the secrets of devices that have no mark yet, in one transaction.
    pub async fn mark_secrets(&self, marks: Vec<(DeviceId, SecretMark)>) -> Result<(), Error> {
        let rows = marks.into_iter().map(apply::mark_secret).collect();
        forward!(self.mark_secrets(rows))
    }
}
