//! The end of what revoked clients have begun (SEC 56).
//!
//! A client is revoked in one commit, together with its tokens. What it has begun may be with tens of thousands of people, more
//! than one transaction may hold. So it ends after that, in pieces of so many users, with each of them by a decision about that
//! user alone: it takes one lock, that of the user, as any other decision does.
//!
//! Nothing is left over, whatever happens in between. A call that was let in before the revocation may open something after a
//! piece has passed by: on another node, which remembers callers for a second, or here. And the process that ends the pieces may die. In
//! both cases `begun_by` still names the user, since its row is written in the transaction that opens something. So each turn
//! of the clean-up, on every node, looks for such rows of revoked clients, and ends what they lead to.
//!
//! The other way is to lock the client whenever something is opened. All that a busy client opens would then queue for one row,
//! on all nodes, for the sake of a moment that most clients never see.

use domain::rules::client;
use domain::{ClientId, UserId};
use futures_util::future::try_join_all;

use super::handle::Store;
use crate::error::Error;
use crate::rows;
use crate::schema::sql;
use crate::user_state::log_damage;
use crate::value::Value;

/// Users of one piece. So many at once that they share commits, and few enough that others get their turn.
pub(crate) const PIECE: i64 = 64;

impl Store {
    /// Ends what a client has begun, if it is revoked.
    pub async fn end_begun(&self, client: ClientId) -> Result<(), Error> {
        let mut after = Some(UserId(0));
        while let Some(behind) = after {
            after = self.end_begun_behind(client, behind).await?;
        }
        Ok(())
    }

    /// Ends what revoked clients have begun and still lives.
    pub async fn sweep_begun(&self) -> Result<(), Error> {
        for client in self.listed(sql::REVOKED_WITH_BEGUN, Vec::new(), rows::number).await? {
            self.end_begun(ClientId(client)).await?;
        }
        Ok(())
    }

    /// Ends a piece: what a revoked client has begun with the next users behind `after`. Gives the last of them, if there may be
    /// more: each piece begins behind the one before, so that no user who stays as they are is met again.
    pub(crate) async fn end_begun_behind(&self, client: ClientId, after: UserId) -> Result<Option<UserId>, Error> {
        let params = vec![client.0.into(), after.0.into(), Value::Int(PIECE)];
        let users = self.listed(sql::BEGUN_BY_REVOKED, params, rows::number).await?;
        try_join_all(users.iter().map(|user| self.end_begun_with(client, UserId(*user)))).await?;
        let is_full = users.len() as u64 >= PIECE.unsigned_abs();
        Ok(users.last().copied().filter(|_| is_full).map(UserId))
    }

    async fn end_begun_with(&self, client: ClientId, user: UserId) -> Result<(), Error> {
        match self.decide(user, move |_| client::end_begun(client)).await {
            // Nothing in a row that is damaged lets anybody in.
            Err(Error::Corrupt(_)) if self.is_damaged(user).await => {
                self.change(sql::DELETE_BEGUN, vec![client.0.into(), user.0.into()]).await.map(|_| ())
            }
            // Something else was wrong than the row: the next turn looks again, and others do not wait for it.
            Err(error @ Error::Corrupt(_)) => {
                tracing::warn!(user = user.0, %error, "what a revoked client has begun has not ended and will be tried again");
                Ok(())
            }
            // Somebody holds the user for long, or a newer server has written it, which ends it: the next turn looks again.
            Err(Error::Unavailable(_)) => Ok(()),
            ended => ended,
        }
    }

    /// Whether the row of this user cannot be read, which it logs.
    async fn is_damaged(&self, user: UserId) -> bool {
        match self.view(user).await {
            Err(error @ Error::Corrupt(_)) => {
                log_damage(user, error);
                true
            }
            _ => false,
        }
    }
}
