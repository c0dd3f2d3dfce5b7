//! Claims queued messages, sends them, passes them on when a route fails, records.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::model::country;
use domain::rules::message_end;
use domain::{Channel, Content, DropReason, Keyring, Message, PushSubscription, Timestamp};
use futures_util::future::join_all;
use store::{MessageOutcome, QueuedMessage, Store};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::accounts::{self, Accounts, Paid};
use crate::breaker::RouteState;
use crate::message::OutgoingMessage;
use crate::provider::SendError;
use crate::route::{Route, Routes};
use crate::tries::{self, RECORD_AGAIN, RECORDING, Sent, send};

/// Messages given up at once where there is no route to send them.
const WITHOUT_ROUTE: usize = 32;
/// Wait before a message that must not be called can be claimed again, in milliseconds. Meanwhile others have their turn, and
/// on another node its own route may work.
const NOT_CALLED: i64 = 5_000;
/// Highest age at which a message whose calls failed starts over, in milliseconds: a person is not called for minutes.
const ANEW: i64 = 60_000;

/// The queue of messages.
pub struct Outbox {
    store: Store,
    keys: Keyring,
    routes: Routes,
    accounts: Arc<dyn Accounts>,
    /// Whether nothing more is to be claimed.
    stop: watch::Sender<bool>,
}

/// Where workers read the time, which passes while messages are sent.
pub trait DeliveryClock: Send + Sync {
    /// The present moment, as far as it is trusted.
    fn now(&self) -> Timestamp;

    /// Waits this many milliseconds.
    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

impl Outbox {
    /// The messages in `store`, which open with `keys`.
    pub fn new(store: &Store, keys: &Keyring, routes: Routes, accounts: Arc<dyn Accounts>) -> Self {
        Self { store: store.clone(), keys: keys.clone(), routes, accounts, stop: watch::Sender::new(false) }
    }

    /// What carries them.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Claims nothing more. Workers end once what is being sent is sent and recorded; what waits is left to other nodes and
    /// to the next start.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it is stopped.
    pub async fn stopped(&self) {
        // The sender is in `self`, so this never fails.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// A worker for each route. They do their work while they are run.
    pub fn workers(&self) -> impl Iterator<Item = Worker<'_>> {
        self.routes.all().map(|route| Worker { outbox: self, route })
    }

    /// Wakes the workers of a channel: a message may have been queued.
    pub fn wake(&self, channel: Channel) {
        self.routes.wake(channel);
    }

    /// Wakes every worker: another node may have queued a message.
    pub fn wake_all(&self) {
        for channel in Channel::ALL {
            self.wake(channel);
        }
    }

    /// Takes an operator's word that all providers work again.
    pub fn trust_all(&self) {
        self.routes.all().for_each(|route| route.trust());
    }

    /// Gives up what waits on channels that have no route here, once its code has ended: until then another node may have
    /// a route for it, as while a new configuration goes from node to node.
    pub async fn drop_homeless(&self, clock: &dyn DeliveryClock) -> Result<(), store::Error> {
        for channel in Channel::ALL.into_iter().filter(|channel| !self.routes.carry(*channel)) {
            loop {
                let over = self.store.ended_messages(channel, clock.now(), WITHOUT_ROUTE).await?;
                let is_full = over.len() == WITHOUT_ROUTE;
                for QueuedMessage { message, .. } in over {
                    // No node has claimed it, so its row still has what is set aside, and what another node does with that
                    // is not known here.
                    self.give_up(message, DropReason::NoRoute, 0, clock.now()).await?;
                }
                if !is_full {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Gives a message up: a decision about its user, so that the trail says so. One that has been sent or replaced
    /// meanwhile stays what it is. `unspent` is what was set aside for it and is not spent.
    async fn give_up(
        &self,
        message: Message,
        why: DropReason,
        unspent: i64,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let (user, charge, queued_at) = (message.user_id, message.charge, message.created_at);
        match self.store.decide(user, move |view| message_end::give_up(view, &message, why, unspent, now)).await {
            Err(store::Error::Ended) => Ok(()),
            Ok(()) => {
                self.accounts.give_back(charge.as_ref(), unspent, queued_at);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Settles a text message that this provider has called, so that the trail says so. One that has been settled meanwhile
    /// stays as it is.
    async fn settle_called(
        &self,
        message: &Message,
        provider: &str,
        unspent: i64,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let (id, user, message) = (message.id, message.user_id, message.clone());
        let provider = provider.to_owned();
        let by = provider.clone();
        match self.store.decide(user, move |view| message_end::called(view, &message, &by, unspent, now)).await {
            Err(store::Error::Ended) => Ok(()),
            Err(error @ (store::Error::Corrupt(_) | store::Error::Conflict(_))) => {
                // Without a record of any kind the person would be called again.
                tracing::error!(message = id.0, %error, "call in place of a text message not recorded in the trail");
                self.store.settle_message(id, MessageOutcome::Sent { provider, unspent }, now).await
            }
            decided => decided,
        }
    }

    fn open(&self, message: &Message) -> Option<Content> {
        let place = Message::place(message.id, message.user_id);
        let plain = self.keys.open(place, &message.content).ok()?;
        serde_json::from_slice(plain.expose()).ok()
    }
}

/// Empties the queue of one route. It claims no more than its provider may be handed at once, so a slow provider delays
/// no other route, and a claim ends before its lease does.
pub struct Worker<'a> {
    outbox: &'a Outbox,
    route: &'a Arc<Route>,
}

impl Worker<'_> {
    /// Sends what its route is to carry, until the outbox is stopped. It looks at least every `longest` milliseconds, since
    /// another node's notice can be lost.
    pub async fn run(&self, clock: &dyn DeliveryClock, longest: i64) {
        while !self.is_stopped() {
            let next = self.deliver_due(clock, longest).await.unwrap_or_else(|error| {
                tracing::error!(%error, "outbox cannot be read");
                None
            });
            let wait = next.map_or(longest, |at| at.since(clock.now()).clamp(1, longest));
            tokio::select! {
                () = self.outbox.stopped() => {}
                () = self.route.queued.notified() => {}
                () = clock.sleep(wait) => {}
            }
        }
    }

    fn is_stopped(&self) -> bool {
        *self.outbox.stop.borrow()
    }

    /// Sends everything that is due on its route, and what becomes due while it sends. Returns when to look again, if
    /// there is something to look for.
    ///
    /// If one outcome cannot be recorded, the other sendings still end and are recorded: cutting them off would send more
    /// messages twice.
    pub async fn deliver_due(
        &self,
        clock: &dyn DeliveryClock,
        longest: i64,
    ) -> Result<Option<Timestamp>, store::Error> {
        let mut sending = JoinSet::new();
        let mut recorded = Ok(());
        loop {
            let may_claim = recorded.is_ok() && !self.is_stopped();
            let free = if may_claim { self.free(sending.len(), clock.now()) } else { 0 };
            let due = match free {
                0 => Vec::new(),
                free => self.claim(free, clock.now()).await.unwrap_or_else(|error| {
                    recorded = Err(error);
                    Vec::new()
                }),
            };
            let may_be_more = free > 0 && due.len() == free;
            for queued in due {
                recorded = recorded.and(self.start(queued, &mut sending, clock).await);
            }
            // However much is due, what has ended is recorded: without a record it is sent once more.
            let mut all: Vec<_> = std::iter::from_fn(|| sending.try_join_next()).collect();
            if all.is_empty() {
                if may_be_more {
                    continue;
                }
                // What becomes due meanwhile need not wait for the slowest sending.
                let has_place = free > 0 && !sending.is_empty();
                let ended = tokio::select! {
                    ended = sending.join_next() => ended,
                    () = self.route.queued.notified(), if has_place => continue,
                    () = clock.sleep(longest), if has_place => continue,
                };
                let Some(ended) = ended else { break };
                all.push(ended);
            }
            while !all.is_empty() {
                // Recorded together, they share a sync of the disk. So do those that end meanwhile, and the next claim.
                let records = join_all(all.drain(..).map(|ended| self.finish(ended, clock))).await;
                recorded = records.into_iter().fold(recorded, Result::and);
                all.extend(std::iter::from_fn(|| sending.try_join_next()));
            }
        }
        recorded?;
        self.next(clock.now()).await
    }

    /// How many more messages may be handed to the provider now.
    fn free(&self, sending: usize, now: Timestamp) -> usize {
        let most = match self.route.state(now) {
            _ if !self.outbox.routes.is_asked(self.route, now) => 0,
            RouteState::Up => self.route.provider().at_once().max(1),
            RouteState::OnTrial => 1,
            RouteState::DownUntil(_) => 0,
        };
        most.saturating_sub(sending)
    }

    async fn claim(&self, limit: usize, now: Timestamp) -> Result<Vec<QueuedMessage>, store::Error> {
        let turn = self.outbox.routes.turn(self.route, now);
        let lease = tries::lease(self.route.provider().timeout());
        self.outbox.store.claim_messages(self.route.queue(), turn, now, limit, lease).await
    }

    /// When to look again.
    async fn next(&self, now: Timestamp) -> Result<Option<Timestamp>, store::Error> {
        if !self.outbox.routes.is_asked(self.route, now) {
            // It is woken by what fails on the other routes.
            return Ok(None);
        }
        if let RouteState::DownUntil(until) = self.route.state(now) {
            return Ok(Some(until));
        }
        self.outbox.store.next_message_at(self.route.queue(), self.outbox.routes.turn(self.route, now)).await
    }

    /// Hands a message to the provider, or settles it at once where nothing is to be sent.
    async fn start(
        &self,
        queued: QueuedMessage,
        sending: &mut JoinSet<Sent>,
        clock: &dyn DeliveryClock,
    ) -> Result<(), store::Error> {
        let QueuedMessage { message, passed, passed_before, free, claimed_until } = queued;
        let put_back = |at| MessageOutcome::PutBack { at, passed: passed_before, free, claimed_until };
        let now = clock.now();
        if !self.outbox.routes.is_asked(self.route, now) {
            // Another route has come back since this one claimed it.
            self.outbox.store.settle_message(message.id, put_back(now), now).await?;
            self.outbox.wake(self.route.queue());
            return Ok(());
        }
        let round = passed.saturating_sub(1) / self.outbox.routes.turn(self.route, now).of;
        let reason = if now >= message.not_after {
            DropReason::Expired
        } else if tries::is_over(round) {
            // Senders that died, or routes that went down meanwhile, have used up its tries without a record.
            DropReason::Undeliverable
        } else if let Some(content) = self.outbox.open(&message) {
            let Some(outgoing) = OutgoingMessage::over(self.route.channel(), &message, content) else {
                let rested = put_back(now.plus(NOT_CALLED));
                return self.outbox.store.settle_message(message.id, rested, now).await;
            };
            let provider = self.route.provider().clone();
            let country = country::of_number(&outgoing.content.to).first().copied();
            let Outbox { store, accounts, .. } = self.outbox;
            let what = (&message, outgoing.content.to.as_str(), free);
            match accounts::pay(&**accounts, store, self.route, what, now).await? {
                Some(Paid { price, left }) => {
                    let subscription = outgoing.content.subscription.as_ref().map(PushSubscription::mark);
                    sending.spawn(async move {
                        let result = send(provider.as_ref(), &outgoing).await;
                        Sent { message, price, left, passed, claimed_until, country, subscription, result }
                    });
                    return Ok(());
                }
                None => DropReason::SpendCap,
            }
        } else {
            tracing::error!(message = message.id.0, "message cannot be decrypted with the known keys");
            DropReason::Unreadable
        };
        self.outbox.give_up(message, reason, free, now).await
    }

    /// Records how a sending ended.
    async fn finish(&self, ended: Result<Sent, JoinError>, clock: &dyn DeliveryClock) -> Result<(), store::Error> {
        let channel = self.route.channel();
        let Sent { message, price, left, passed, claimed_until, country, subscription, result } = match ended {
            Ok(sent) => sent,
            Err(error) => {
                // The message is due again when its lease is over.
                tracing::error!(channel = channel.name(), %error, "message delivery crashed");
                self.route.note(None, Err(SendError::Unavailable), clock.now());
                return Ok(());
            }
        };
        let now = clock.now();
        self.route.note(country, result, now);
        let (id, provider) = (message.id.0, self.route.provider().name());
        let Err(error) = result else {
            if self.route.stands_in() {
                tracing::info!(message = id, provider, "text message called: no route for text messages works");
            }
            return self.record_sent(&message, left, clock).await;
        };
        // What a provider has not sent, it does not charge.
        let free = if error.is_unsent() { left + price } else { left };
        tracing::warn!(message = id, channel = channel.name(), provider, %error, "message delivery failed");
        let turn = self.outbox.routes.turn(self.route, now);
        let has_others = self.outbox.routes.has_others(self.route, now);
        match tries::next(error, message.id, passed, (turn, has_others), now) {
            Some(at) => {
                let again = MessageOutcome::Retry { at, free, claimed_until };
                self.outbox.store.settle_message(message.id, again, now).await?;
            }
            // The calls have failed, and not the text message: it is tried when its first route is.
            None if self.route.stands_in() && now.since(message.created_at) < ANEW => {
                let at = self.outbox.routes.down_until(self.route.queue(), now).unwrap_or(now);
                let as_new = MessageOutcome::PutBack { at, passed: 0, free, claimed_until };
                self.outbox.store.settle_message(message.id, as_new, now).await?;
            }
            None => {
                self.outbox.give_up(message, tries::why_over(error, subscription), free, now).await?;
            }
        }
        // It is another route's now. So is what waits, if this failure took the route down.
        self.outbox.wake(self.route.queue());
        Ok(())
    }

    /// Records that a message was sent, again if the database cannot, for as long as the claim lasts: without a record, the
    /// next sender sends it once more. `unspent` is what was set aside beyond its price.
    async fn record_sent(
        &self,
        message: &Message,
        unspent: i64,
        clock: &dyn DeliveryClock,
    ) -> Result<(), store::Error> {
        let until = clock.now().plus(RECORDING);
        loop {
            let now = clock.now();
            let provider = self.route.provider().name();
            let recorded = if self.route.stands_in() {
                self.outbox.settle_called(message, provider, unspent, now).await
            } else {
                let outcome = MessageOutcome::Sent { provider: provider.to_owned(), unspent };
                self.outbox.store.settle_message(message.id, outcome, now).await
            };
            match recorded {
                Err(store::Error::Unavailable(_)) if clock.now() < until => clock.sleep(RECORD_AGAIN).await,
                Err(error) => return Err(error),
                Ok(()) => {
                    self.outbox.accounts.give_back(message.charge.as_ref(), unspent, message.created_at);
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
pub(crate) mod tests;
