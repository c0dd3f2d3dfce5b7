//! How many API calls an hour has seen, counted by all nodes together (SEC 37, decision 35). A node takes the next numbers
//! of the hour in blocks, so a call costs the database nothing, and no number is ever given twice.

use domain::Timestamp;
use domain::model::time::HOUR;

use crate::schema::sql;
use crate::value::Value;
use crate::{Backend, Error, Store};

/// Hours that are kept apart before their rows' kinds come round again: more than three years.
const HOURS: i64 = 30_000;

/// Under which kind the calls of an hour are numbered: below those of ids and audit entries.
fn kind(hour: i64) -> i64 {
    -1 - hour.rem_euclid(HOURS)
}

impl Store {
    /// Takes the next `count` numbers of the calls in the hour of `now`, and gives the one after them. The first number
    /// of an hour is 1.
    pub async fn take_calls(&self, now: Timestamp, count: i64) -> Result<i64, Error> {
        let hour = now.0.div_euclid(HOUR);
        let params = vec![Value::Int(kind(hour)), Value::Int(count)];
        let next = match &self.backend {
            Backend::Sqlite(db) => db.write_number(sql::RESERVE_IDS, params).await?,
            Backend::Postgres(db) => Box::pin(db.write_number(sql::RESERVE_IDS, params)).await?,
        };
        Ok(next)
    }

    /// The number that the next call in the hour of `now` would have at the earliest.
    pub async fn next_call(&self, now: Timestamp) -> Result<i64, Error> {
        let found = self.find_number(sql::SEQUENCE, kind(now.0.div_euclid(HOUR)).into()).await?;
        Ok(found.unwrap_or(1))
    }
}

/// The kinds that the clean-up keeps: this hour's, and the one before for nodes whose clocks are behind.
pub(crate) fn kept(now: Timestamp) -> [Value; 2] {
    let hour = now.0.div_euclid(HOUR);
    [kind(hour).into(), kind(hour - 1).into()]
}
