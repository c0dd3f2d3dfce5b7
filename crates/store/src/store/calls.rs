//! How many API calls an hour has seen, counted by all nodes together (SEC 37, decision 35). A node takes the next numbers
//! of the hour in blocks, so a call costs the database nothing, and no number is ever given twice.

use domain::Timestamp;
use domain::model::time::HOUR;

use super::handle::Store;
use crate::calls::kind;
use crate::error::Error;
use crate::schema::sql;
use crate::value::Value;

impl Store {
    /// Takes the next `count` numbers of the calls in the hour of `now`, and gives the one after them. The first number
    /// of an hour is 1.
    pub async fn take_calls(&self, now: Timestamp, count: i64) -> Result<i64, Error> {
        let params = vec![Value::Int(kind(now.0.div_euclid(HOUR))), Value::Int(count)];
        self.write_number(sql::RESERVE_IDS, params).await
    }

    /// The number that the next call in the hour of `now` would have at the earliest.
    pub async fn next_call(&self, now: Timestamp) -> Result<i64, Error> {
        let found = self.find_number(sql::SEQUENCE, vec![kind(now.0.div_euclid(HOUR)).into()]).await?;
        Ok(found.unwrap_or(1))
    }
}
