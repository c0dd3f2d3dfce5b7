//! The outbox: messages that are claimed, sent and settled.

use domain::{Budget, Channel, MessageId, Spent, Timestamp};

use super::handle::{Store, forward};
use crate::budgets;
use crate::costs::{SentMessage, Spending};
use crate::error::Error;
use crate::query::{MessageOutcome, QueuedMessage, Waiting};
use crate::rows;
use crate::schema::sql;
use crate::turn::Turn;
use crate::value::params;

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
    pub async fn ended_messages(
        &self,
        channel: Channel,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<QueuedMessage>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = vec![channel.name().into(), now.into(), limit.into()];
        self.listed(sql::ENDED_MESSAGES, params, rows::queued_message).await
    }

    /// Adds what another try of a claimed message may cost, before it is made. Does nothing if it has ended meanwhile.
    pub async fn pay_message(&self, id: MessageId, micros: i64) -> Result<(), Error> {
        self.change(sql::PAY_MESSAGE, params![micros, id.0]).await.map(|_| ())
    }

    /// What messages to telephones cost that were queued since a moment: of those that are kept, which is a day (SEC 87).
    pub async fn spending(&self, since: Timestamp) -> Result<Vec<Spending>, Error> {
        self.listed(sql::SPENDING, vec![since.into()], rows::spending).await
    }

    /// The messages to telephones that were queued since a moment and handed over, in this order. They are kept for a day.
    pub async fn sent_messages(&self, since: Timestamp) -> Result<Vec<SentMessage>, Error> {
        self.listed(sql::ASKED_MESSAGES, vec![since.into()], rows::sent_message).await
    }

    /// The budgets of prefixes that are closed, or were lately.
    pub async fn prefixes(&self) -> Result<Vec<(Budget, Spent)>, Error> {
        self.listed(sql::PREFIXES, Vec::new(), budgets::named).await
    }

    /// What waits in the outbox, of all nodes.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        forward!(self.waiting())
    }
}
