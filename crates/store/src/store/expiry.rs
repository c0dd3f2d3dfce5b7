//! Finding what is over by a time that will not be believed any more, so that it can be ended for good (SEC 75).
//!
//! What is over needs no write to be over, for as long as time goes on. Before an operator takes time back, it does.

use domain::model::client::{ACCESS_TTL, REFRESH_TTL};
use domain::model::temp_token::MAX_TTL;
use domain::{Timestamp, UserId, View};

use super::handle::Store;
use crate::error::Error;
use crate::query::BATCH;
use crate::schema::columns::USER;
use crate::schema::sql;
use crate::user_state::SeenUser;
use crate::value::{Row, Value};

/// Users are looked through by so many ids at once, since no index knows what they keep that runs out. Few enough that their
/// states fit into memory together.
const IDS: i64 = 2_000;

/// A user by id, with what decisions see unless the row cannot be read.
pub type UserRead = (UserId, Result<View, Error>);

impl Store {
    /// The users behind `after` who keep something that runs out, among the next ids, as committed at some recent moment: one
    /// statement reads them all. Gives the id to go on behind, or `None` at the end.
    pub async fn users_with_ends(
        &self,
        after: UserId,
        over: Timestamp,
        from: Timestamp,
    ) -> Result<(Vec<UserRead>, Option<UserId>), Error> {
        let last = after.0.saturating_add(IDS);
        let params = vec![Value::Int(after.0), Value::Int(last), over.into(), from.plus(MAX_TTL).into()];
        let found = self.listed(sql::USERS_WITH_ENDS, params, seen).await?;
        let more = self.find_number(sql::USER_BEHIND, vec![Value::Int(last)]).await?;
        // Ids may leave wide gaps.
        Ok((found, more.map(|next| UserId(next - 1))))
    }

    /// Ends access tokens that are over by `over`, so that they stay so when it is `from` again; their refresh tokens work
    /// no longer than before. Those whose refresh token is over too end as a whole. Says whether there may be more.
    pub async fn end_access_tokens(&self, over: Timestamp, from: Timestamp) -> Result<bool, Error> {
        let ended = vec![from.into(), over.plus(-REFRESH_TTL).into(), Value::Int(BATCH)];
        let aged = vec![from.plus(-ACCESS_TTL).into(), over.plus(-ACCESS_TTL).into(), Value::Int(BATCH)];
        let ended = self.change(sql::END_OVER_TOKENS, ended).await?;
        let aged = self.change(sql::AGE_OVER_TOKENS, aged).await?;
        Ok(ended.max(aged) >= BATCH.unsigned_abs())
    }

    /// Dates tokens that were issued after `from` back to it, so that they live as long as any. To be done once those that
    /// are over have ended: a token that is over must not live anew. Says whether there may be more.
    pub async fn redate_tokens(&self, from: Timestamp) -> Result<bool, Error> {
        let redated = self.change(sql::REDATE_TOKENS, vec![from.into(), Value::Int(BATCH)]).await?;
        Ok(redated >= BATCH.unsigned_abs())
    }
}

fn seen(row: &dyn Row) -> Result<UserRead, Error> {
    Ok((UserId(row.int(USER.id)?), SeenUser::decode(row).map(|seen| seen.view)))
}
