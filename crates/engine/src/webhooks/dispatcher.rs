//! The worker that delivers events to webhooks.
//!
//! Every node runs one. For each webhook with something to do it takes hold of the webhook, which only one node can,
//! and delivers batch after batch until nothing is left or a call fails. A batch is written down together with the position
//! behind it before it is first sent, so a node that dies leaves what was under way to the next one: each event is delivered
//! at least once. While a batch waits for a retry, nothing behind it is delivered, so events come in order.

use std::collections::HashSet;
use std::sync::Arc;

use domain::Timestamp;
use domain::model::outbound::OutboundFault;
use domain::model::webhook::{DeliveryId, MOST_EVENTS, Webhook, WebhookAnswer, WebhookId};
use domain::rules::webhook::{Verdict, judge};
use store::{DeliveryStatus, HeldWebhook, IdKind, Tried, WebhookDelivery, WebhookLease};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::manage::HOLD;
use super::outcome::DeliveryOutcome;
use crate::events::Event;
use crate::{Engine, Fault};

/// How often the trail is looked at while there are webhooks, and while there are none, in milliseconds.
const LOOK: i64 = 500;
const IDLE: i64 = 2_000;

/// Writes events down as the receivers of webhooks know them: the business of a dialect.
pub trait Renderer: Send + Sync {
    /// The body of a call: a JSON array.
    fn render(&self, events: &[Event]) -> Vec<u8>;
}

/// What is left to do for a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    More,
    /// Nothing for now.
    Nothing,
    /// Somebody else does it.
    NotOurs,
}

impl Engine {
    /// Delivers events to webhooks, until `stop` turns true; calls under way are finished then.
    pub async fn dispatch_webhooks(self: Arc<Self>, renderer: Arc<dyn Renderer>, stop: watch::Receiver<bool>) {
        let node = self.chance.hex::<8>();
        let mut stopped = stop.clone();
        let mut at_work = JoinSet::new();
        let mut busy: HashSet<WebhookId> = HashSet::new();
        for turn in 0_u64.. {
            let webhooks = match self.store.webhooks().await {
                Ok(webhooks) => webhooks,
                Err(error) => {
                    tracing::warn!(%error, "the webhooks cannot be read and will be looked at again");
                    Vec::new()
                }
            };
            let wait = if webhooks.is_empty() { IDLE } else { LOOK };
            for held in webhooks {
                let id = held.webhook.id;
                if held.webhook.disabled.is_some() || !busy.insert(id) {
                    continue;
                }
                let (engine, renderer, stop) = (self.clone(), renderer.clone(), stop.clone());
                let holder = format!("{node}-{turn}");
                at_work.spawn(async move {
                    if let Err(error) = engine.dispatch(held, &holder, &*renderer, &stop).await {
                        tracing::warn!(webhook = id.0, error = &error as &dyn std::error::Error, "a webhook waits");
                    }
                    id
                });
            }
            let until = self.clock.sleep(wait);
            tokio::pin!(until);
            loop {
                tokio::select! {
                    () = stops(&mut stopped) => {
                        while at_work.join_next().await.is_some() {}
                        return;
                    }
                    () = self.webhooks_changed.notified() => break,
                    () = &mut until => break,
                    Some(done) = at_work.join_next() => match done {
                        Ok(id) => {
                            busy.remove(&id);
                        }
                        // A panic was reported when it happened. Whose it was is not known, and each holds by a name of
                        // its own.
                        Err(_) => busy.clear(),
                    },
                }
            }
        }
    }

    /// Delivers all that waits for one webhook.
    async fn dispatch(
        &self,
        held: HeldWebhook,
        holder: &str,
        renderer: &dyn Renderer,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Fault> {
        let id = held.webhook.id;
        // Asked often and mostly in vain: that writes nothing.
        if !self.has_something_to_dispatch(&held).await? {
            return Ok(());
        }
        let now = self.now();
        if self.store.hold_webhook(id, WebhookLease { holder, until: now.plus(HOLD) }, now).await?.is_none() {
            return Ok(());
        }
        let mut told = Ok(Next::More);
        while matches!(told, Ok(Next::More)) && !*stop.borrow() {
            told = self.dispatch_next(id, holder, renderer).await;
        }
        if !matches!(told, Ok(Next::NotOurs)) {
            self.store.release_webhook(id, holder).await?;
        }
        told.map(|_| ())
    }

    async fn has_something_to_dispatch(&self, held: &HeldWebhook) -> Result<bool, Fault> {
        let waiting = self.store.waiting_deliveries(held.webhook.id).await?;
        if due(&waiting, self.now()).is_some() {
            return Ok(true);
        }
        if waiting.iter().any(|delivery| !delivery.replay) {
            return Ok(false);
        }
        let followed = self.store.follow(&held.cursor, MOST_EVENTS).await?;
        Ok(!followed.entries.is_empty() || held.cursor.is_behind(&followed.cursor))
    }

    /// Delivers one batch.
    async fn dispatch_next(&self, id: WebhookId, holder: &str, renderer: &dyn Renderer) -> Result<Next, Fault> {
        // As it is now: it may have been changed, or taken back to a moment.
        let Some(held) = self.store.webhook(id).await? else { return Ok(Next::NotOurs) };
        if held.webhook.disabled.is_some() {
            return Ok(Next::Nothing);
        }
        let waiting = self.store.waiting_deliveries(id).await?;
        if let Some(delivery) = due(&waiting, self.now()) {
            return self.deliver(&held.webhook, delivery, holder, renderer).await;
        }
        if waiting.iter().any(|delivery| !delivery.replay) {
            return Ok(Next::Nothing);
        }
        let followed = self.store.follow(&held.cursor, MOST_EVENTS).await?;
        if followed.entries.is_empty() && !held.cursor.is_behind(&followed.cursor) {
            return Ok(Next::Nothing);
        }
        let now = self.now();
        let delivery = match followed.entries.first() {
            None => None,
            Some((_, first)) => Some(WebhookDelivery {
                id: DeliveryId(self.store.next_id(IdKind::Delivery).await?),
                webhook: id,
                message: format!("msg_{}", self.chance.hex::<16>()),
                events: followed.entries.iter().map(|(id, _)| *id).collect(),
                status: DeliveryStatus::Waiting,
                replay: false,
                attempts: 0,
                next_attempt_at: now,
                began_at: now,
                answer: None,
                created_at: now,
                settled_at: None,
                oldest_at: first.at,
            }),
        };
        let hold = WebhookLease { holder, until: now.plus(HOLD) };
        if !self.store.move_webhook(id, hold, &followed.cursor, delivery.as_ref()).await? {
            return Ok(Next::NotOurs);
        }
        match delivery {
            Some(delivery) => self.deliver(&held.webhook, &delivery, holder, renderer).await,
            None => Ok(Next::More),
        }
    }

    /// Sends a batch and records what came of it.
    async fn deliver(
        &self,
        webhook: &Webhook,
        delivery: &WebhookDelivery,
        holder: &str,
        renderer: &dyn Renderer,
    ) -> Result<Next, Fault> {
        let entries = self.store.events_with_ids(&delivery.events).await?;
        let events = self.named(entries).await?;
        let answer = self.call_webhook(webhook, &delivery.message, renderer.render(&events)).await;
        let now = self.now();
        let chance = u64::from_be_bytes(self.chance.bytes());
        let attempts = delivery.attempts + 1;
        let verdict = judge(answer, delivery.began_at, attempts, now, chance);
        let (outcome, status, next_attempt_at) = match verdict {
            Verdict::Delivered => (DeliveryOutcome::Delivered, DeliveryStatus::Delivered, now),
            Verdict::Retry(at) => (DeliveryOutcome::Retried, DeliveryStatus::Waiting, at),
            Verdict::Failed => (DeliveryOutcome::Failed, DeliveryStatus::Failed, now),
            Verdict::Gone => (DeliveryOutcome::Gone, DeliveryStatus::Failed, now),
        };
        self.deliveries.count(outcome);
        if outcome != DeliveryOutcome::Delivered {
            let (webhook, delivery) = (webhook.id.0, delivery.id.0);
            tracing::warn!(webhook, delivery, attempts, %answer, outcome = outcome.name(), "webhook delivery failed");
        }
        let tried = Tried { answer, status, next_attempt_at, at: now, gone: outcome == DeliveryOutcome::Gone };
        let held = self.store.record_try(delivery, tried, WebhookLease { holder, until: now.plus(HOLD) }).await?;
        Ok(if held { Next::More } else { Next::NotOurs })
    }

    /// Makes a signed call.
    pub(super) async fn call_webhook(&self, webhook: &Webhook, message: &str, body: Vec<u8>) -> WebhookAnswer {
        let opened = self.open_webhook_keys(webhook).and_then(|keys| Ok((keys, self.open_webhook_headers(webhook)?)));
        let (keys, own) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(webhook = webhook.id.0, error, "a webhook's keys do not open with the known ones");
                return WebhookAnswer::Fault(OutboundFault::Unusable);
            }
        };
        // Receivers compare it with the time of day.
        let now = self.time.read().wall;
        let mut headers = own.0;
        headers.push(("webhook-id".to_owned(), message.to_owned()));
        headers.push(("webhook-timestamp".to_owned(), now.unix_seconds().to_string()));
        headers.push(("webhook-signature".to_owned(), keys.signatures(message, now, &body)));
        let call = delivery::webhook::Call {
            url: webhook.url.clone(),
            reach: self.reach(webhook),
            headers,
            body: body.into(),
        };
        self.caller.post(call).await
    }
}

/// Waits until it is time to stop.
async fn stops(stopped: &mut watch::Receiver<bool>) {
    // A dropped sender means stop too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// What is to be tried now: the batch that is next in order, or one that is repeated.
fn due(waiting: &[WebhookDelivery], now: Timestamp) -> Option<&WebhookDelivery> {
    waiting.iter().find(|delivery| delivery.next_attempt_at <= now)
}
