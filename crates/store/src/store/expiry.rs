//! Finding what is over by a time that will not be believed any more, so that it can be ended for good (SEC 75).
//!
//! What is over needs no write to be over, for as long as time goes on. Before an operator takes time back, it does.

use domain::model::client::{ACCESS_TTL, REFRESH_TTL};
use domain::model::temp_token::MAX_TTL;
use domain::{Timestamp, UserId};

use super::handle::Store;
use crate::error::Error;
use crate::query::BATCH;
use crate::rows;
use crate::schema::sql;
use crate::value::Value;

/// Users are looked through by so many ids at once, since no index knows what they keep that runs out.
const IDS: i64 = 20_000;

impl Store {
    /// The users behind `after` who keep something that runs out, among the next ids. Gives the id to go on behind, or `None` at the end.
    pub async fn users_with_ends(
        &self,
        after: UserId,
        over: Timestamp,
        from: Timestamp,
    ) -> Result<(Vec<UserId>, Option<UserId>), Error> {
        let last = after.0.saturating_add(IDS);
        let params = vec![Value::Int(after.0), Value::Int(last), over.into(), from.plus(MAX_TTL).into()];
        let found = self.listed(sql::USERS_WITH_ENDS, params, rows::number).await?.into_iter().map(UserId).collect();
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
