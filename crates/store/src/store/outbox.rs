//! The outbox: messages that are claimed, sent and settled.

use domain::{Channel, Message, MessageId, Timestamp};

use super::handle::{Store, forward};
use crate::error::Error;
use crate::query::{MessageOutcome, QueuedMessage, Waiting};
use crate::rows;
use crate::schema::sql;
use crate::turn::Turn;

impl Store {
    /// Claims at most `limit` messages of a channel that are due and whose turn this is, the longest due first. No other
    /// claim returns them before `lease_ms` milliseconds have passed; then they are due again for the next route, in case
    /// their sender has died.
    pub async fn claim_messages(
        &self,
        channel: Channel,
        turn: Turn,
        now: Timestamp,
        limit: usize,
        lease_ms: i64,
    ) -> Result<Vec<QueuedMessage>, Error> {
        forward!(self.claim_messages(channel, turn, now, limit, lease_ms))
    }

    /// Records what became of a claimed message. Does nothing if it was dropped meanwhile.
    pub async fn settle_message(&self, id: MessageId, outcome: MessageOutcome, now: Timestamp) -> Result<(), Error> {
        forward!(self.settle_message(id, outcome, now))
    }

    /// When the next queued message of a channel whose turn this is is due, if any is queued.
    pub async fn next_message_at(&self, channel: Channel, turn: Turn) -> Result<Option<Timestamp>, Error> {
        forward!(self.next_message_at(channel, turn))
    }

    /// At most `limit` messages of a channel whose codes have ended, and that no sender has claimed. They are not claimed.
    pub async fn ended_messages(&self, channel: Channel, now: Timestamp, limit: usize) -> Result<Vec<Message>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = vec![channel.name().into(), now.into(), limit.into()];
        let ended = self.listed(sql::ENDED_MESSAGES, params, rows::queued_message).await?;
        Ok(ended.into_iter().map(|queued| queued.message).collect())
    }

    /// What waits in the outbox, of all nodes.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        forward!(self.waiting())
    }
}
