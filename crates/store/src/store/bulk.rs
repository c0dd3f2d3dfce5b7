//! What taking over many users at once asks for: ids by the block, and the shortest way to find somebody.

use std::ops::Range;

use domain::UserId;

use super::handle::{Backend, Store};
use crate::error::Error;
use crate::query::IdKind;
use crate::schema::sql;
use crate::value::Value;

impl Store {
    /// Ids that were never given out before, `count` of them. Those that stay unused are gaps.
    pub async fn reserve_ids(&self, kind: IdKind, count: u16) -> Result<Range<i64>, Error> {
        let params = vec![Value::Int(kind.number()), Value::Int(count.into())];
        let end = self.write_number(sql::RESERVE_IDS, params).await?;
        if end - 1 > kind.greatest() {
            return Err(Error::Unavailable("the ids are used up"));
        }
        Ok(end - i64::from(count)..end)
    }

    /// The user with this id in another system, else the one with this name, as committed at some recent moment.
    pub async fn find_user(&self, external_id: Option<&str>, username: &str) -> Result<Option<UserId>, Error> {
        if let Some(external_id) = external_id
            && let Some(found) = self.find_number(sql::USER_BY_EXTERNAL_ID, vec![external_id.into()]).await?
        {
            return Ok(Some(UserId(found)));
        }
        self.user_by_username(username).await
    }

    /// The same for many at once, in their order.
    pub async fn find_users(&self, asked: &[(Option<&str>, &str)]) -> Result<Vec<Option<UserId>>, Error> {
        if let Backend::Postgres(db) = &self.backend {
            // A round trip for all, not two for each.
            return db.find_users(asked).await;
        }
        let mut found = Vec::with_capacity(asked.len());
        for (external_id, username) in asked {
            found.push(self.find_user(*external_id, username).await?);
        }
        Ok(found)
    }
}
