//! The secrets of devices by their marks: who has one, and the marks of devices that earlier versions have made.

use std::collections::HashMap;

use domain::{Device, DeviceId, SecretMac, SecretMark, UserId};

use crate::error::Error;
use crate::schema::sql;
use crate::value::Value;
use crate::{Backend, Store, apply};

impl Store {
    /// Who has devices with these secrets, as committed at some recent moment. A secret without a device is not in it.
    pub async fn secret_holders(&self, secrets: &[SecretMac]) -> Result<HashMap<SecretMac, Vec<UserId>>, Error> {
        let rows = match &self.backend {
            Backend::Sqlite(db) => db.secret_holders(secrets)?,
            Backend::Postgres(db) => Box::pin(db.secret_holders(secrets)).await?,
        };
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
        let found = match &self.backend {
            Backend::Sqlite(db) => db.find_number(sql::COUNT_UNMARKED, &[])?,
            Backend::Postgres(db) => Box::pin(db.find_number(sql::COUNT_UNMARKED, Vec::new())).await?,
        };
        Ok(found.unwrap_or(0).unsigned_abs())
    }

    /// At most `limit` of them whose ids are greater than `after`, by ascending id. Their counters are not looked at.
    pub async fn unmarked_after(&self, after: DeviceId, limit: u32) -> Result<Vec<Device>, Error> {
        let params = vec![after.0.into(), Value::Int(limit.into())];
        match &self.backend {
            Backend::Sqlite(db) => db.listed(sql::UNMARKED_DEVICES, &params, crate::rows::device),
            Backend::Postgres(db) => Box::pin(db.listed(sql::UNMARKED_DEVICES, params, crate::rows::device)).await,
        }
    }

    /// Marks the secrets of devices that have no mark yet, in one transaction.
    pub async fn mark_secrets(&self, marks: Vec<(DeviceId, SecretMark)>) -> Result<(), Error> {
        let rows = marks.into_iter().map(apply::mark_secret).collect();
        match &self.backend {
            Backend::Sqlite(db) => db.mark_secrets(rows).await,
            Backend::Postgres(db) => Box::pin(db.mark_secrets(rows)).await,
        }
    }

    /// Sets a value that is still what it was, and says whether it was.
    pub async fn swap_meta(&self, key: &str, was: &[u8], value: &[u8]) -> Result<bool, Error> {
        let params = vec![value.to_vec().into(), key.into(), was.to_vec().into()];
        let changed = match &self.backend {
            Backend::Sqlite(db) => db.change(sql::SWAP_META, params).await?,
            Backend::Postgres(db) => Box::pin(db.change(sql::SWAP_META, params)).await?,
        };
        Ok(changed > 0)
    }
}
