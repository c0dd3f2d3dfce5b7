//! The PostgreSQL side of [`crate::bulk`].

use std::collections::HashMap;

use domain::model::name::{Holder, key, meant};
use domain::{SecretMac, UserId};

use super::conn::{BEGIN, Query};
use super::database::Postgres;
use super::limits::in_time;
use super::sql;
use super::value::Param;
use crate::error::Error;
use crate::login_names::holder;
use crate::rows::{self, Decode};
use crate::value::{Row, Value, Write};

impl Postgres {
    /// The users with these ids in another system, else with these names, in the order asked.
    pub(crate) async fn find_users(&self, asked: &[(Option<&str>, &str)]) -> Result<Vec<Option<UserId>>, Error> {
        let known = asked.iter().filter_map(|(external_id, _)| external_id.map(Value::from));
        let by_id = self.named(sql::USERS_BY_EXTERNAL_ID, known.collect()).await?;
        let keys: Vec<String> = asked.iter().map(|(_, username)| key(username)).collect();
        let wanted = keys.iter().filter(|key| !key.is_empty()).map(|key| key.as_str().into()).collect();
        let statement = sql::USERNAME_HOLDERS;
        let holders = self.all(Query { statement, params: vec![Param::Many(wanted)] }, holder).await?;
        let mut by_name: HashMap<String, Vec<Holder>> = HashMap::new();
        for (key, holder) in holders {
            by_name.entry(key).or_default().push(Holder { email: None, ..holder });
        }
        let find = |((external_id, name), key): (&(Option<&str>, &str), &String)| {
            let known = external_id.and_then(|id| by_id.get(id)).copied();
            known.or_else(|| by_name.get(key).and_then(|holders| meant(name, holders)))
        };
        Ok(asked.iter().zip(&keys).map(find).collect())
    }

    /// The rows of an answer.
    pub(crate) async fn listed<T>(
        &self,
        statement: &'static str,
        params: Vec<Value>,
        row: Decode<T>,
    ) -> Result<Vec<T>, Error> {
        self.all(Query::new(statement, params), row).await
    }

    /// Runs a statement that changes something. Gives the number of rows it changed.
    pub(crate) async fn change(&self, statement: &'static str, params: Vec<Value>) -> Result<u64, Error> {
        in_time(async {
            let mut conn = self.pool.lend().await?;
            Ok(conn.execute(&[Query::new(statement, params)]).await?.pop().unwrap_or(0))
        })
        .await
    }

    /// Runs `guard`, and `writes` in the same transaction only if it found its row. Says whether it did.
    pub(crate) async fn write_if(&self, guard: Write, writes: Vec<Write>) -> Result<bool, Error> {
        in_time(async {
            let mut conn = self.pool.lend().await?;
            conn.begin(BEGIN, &[]).await?;
            if conn.execute(&[guard.into()]).await?.first().is_none_or(|rows| *rows == 0) {
                conn.roll_back().await?;
                return Ok(false);
            }
            conn.execute(&writes.into_iter().map(Query::from).collect::<Vec<_>>()).await?;
            conn.commit().await?;
            Ok(true)
        })
        .await
    }

    pub(crate) async fn secret_holders(&self, secrets: &[SecretMac]) -> Result<Vec<(SecretMac, UserId)>, Error> {
        let asked = secrets.iter().map(|secret| Value::from(*secret)).collect();
        self.all(Query { statement: sql::HOLDERS_OF_SECRETS, params: vec![Param::Many(asked)] }, rows::secret_holder)
            .await
    }

    async fn named(&self, statement: &'static str, names: Vec<Value>) -> Result<HashMap<String, UserId>, Error> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.all(Query { statement, params: vec![Param::Many(names)] }, name_and_id).await?;
        Ok(found.into_iter().collect())
    }
}

fn name_and_id(row: &dyn Row) -> Result<(String, UserId), Error> {
    Ok((row.text(0)?.to_owned(), UserId(row.int(1)?)))
}
