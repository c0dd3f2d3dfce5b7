//! Webhooks: made and looked after by operators (contract 9, SEC 71).

use domain::model::webhook::{
    DeliveryId, DisableReason, Headers, KEY_LENGTH, Webhook, WebhookAnswer, WebhookId, WebhookKeys, shown_key,
};
use domain::{Sealed, Secret, Timestamp};
use egress::Reach;
use store::{IdKind, WebhookDelivery, WebhookLease};

use super::outcome::DeliveryCounts;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// How long a webhook is held for one call, in milliseconds: longer than a call and what is written after it may take.
pub(crate) const HOLD: i64 = 30_000;
/// How often it is tried to hold a webhook that is at work, and the wait between, in milliseconds.
const HOLD_TRIES: usize = 20;
const HOLD_WAIT: i64 = 250;

/// A webhook to make.
#[derive(Clone)]
pub struct NewWebhook {
    /// A name for people.
    pub name: String,
    /// Where events are posted.
    pub url: String,
    /// Headers that the receiver asks for. They may hold tokens.
    pub headers: Headers,
    /// Whether it may be in the installation's own network.
    pub allow_private: bool,
}

impl std::fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewWebhook(…)")
    }
}

/// A webhook that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// A field cannot be used. Says what it should be.
    #[error("{0}")]
    Field(&'static str),
    /// What can befall any use case.
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(WebhookError);

/// What came of asking to tell something again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayOutcome {
    /// It will be delivered again.
    Yes,
    /// It will be delivered again once this webhook is enabled.
    OnceEnabled(WebhookId),
    /// There is no such webhook or delivery.
    Missing,
    /// It still waits for its first delivery to this webhook.
    NotYet(WebhookId),
    /// The moment is still to come.
    Ahead,
    /// The webhook is at work all the time; try again shortly.
    Busy,
}

impl Engine {
    /// Makes a webhook that gets events from now on. Gives its key in the form that receivers are given, which
    /// is not shown again.
    pub async fn create_webhook(&self, new: NewWebhook) -> Result<(Webhook, String), WebhookError> {
        let bad = WebhookError::Field("the name must be at most 100 plain characters");
        let name = crate::clients::manage::clean_name(&new.name).ok_or(bad)?;
        let url = delivery::webhook::checked_url(&new.url, new.allow_private).map_err(WebhookError::Field)?;
        if let Some(fault) = new.headers.fault() {
            return Err(WebhookError::Field(fault));
        }
        let id = WebhookId(self.store.next_id(IdKind::Webhook).await?);
        let key = self.draw_webhook_key();
        let shown = shown_key(&key);
        let headers = zeroize::Zeroizing::new(serde_json::to_vec(&new.headers).map_err(Fault::internal)?);
        let webhook = Webhook {
            id,
            name,
            url,
            keys: self.seal_webhook_keys(id, &WebhookKeys::new(key))?,
            headers: self.keys.seal(Webhook::headers_place(id), self.chance.bytes(), &headers),
            allow_private: new.allow_private,
            disabled: None,
            created_at: self.now(),
        };
        let cursor = self.store.cursor_at_end().await?;
        self.store.create_webhook(&webhook, &cursor).await?;
        self.webhooks_changed.notify_one();
        Ok((webhook, shown))
    }

    /// All webhooks, oldest first.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, Fault> {
        Ok(self.store.webhooks().await?.into_iter().map(|held| held.webhook).collect())
    }

    /// The webhook of this id.
    pub async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Fault> {
        Ok(self.store.webhook(id).await?.map(|held| held.webhook))
    }

    /// Forgets a webhook with its log. Says whether there was one.
    pub async fn delete_webhook(&self, id: WebhookId) -> Result<bool, Fault> {
        Ok(self.store.delete_webhook(id).await?)
    }

    /// Pauses or resumes deliveries to a webhook. They resume where they stopped.
    pub async fn enable_webhook(&self, id: WebhookId, enabled: bool) -> Result<bool, Fault> {
        let because = if enabled { None } else { Some((self.now(), DisableReason::Operator)) };
        let found = self.store.set_webhook_disabled(id, because).await?;
        self.webhooks_changed.notify_one();
        Ok(found)
    }

    /// Gives a webhook a new key, beside which the one before signs for so many more milliseconds. `None` if there is no
    /// such webhook.
    pub async fn rotate_webhook_key(&self, id: WebhookId, overlap: i64) -> Result<Option<String>, Fault> {
        loop {
            let Some(held) = self.store.webhook(id).await? else { return Ok(None) };
            let mut keys = self.open_webhook_keys(&held.webhook)?;
            let key = self.draw_webhook_key();
            let shown = shown_key(&key);
            keys.rotate(key, overlap, self.now());
            let sealed = self.seal_webhook_keys(id, &keys)?;
            // Of two at once the second rotates what the first has made.
            if self.store.set_webhook_keys(id, &held.webhook.keys, sealed).await? {
                return Ok(Some(shown));
            }
        }
    }

    /// The newest deliveries of a webhook, or those given up. `None` if there is no such webhook.
    pub async fn webhook_deliveries(
        &self,
        id: WebhookId,
        failed: bool,
        limit: u32,
    ) -> Result<Option<Vec<WebhookDelivery>>, Fault> {
        if self.store.webhook(id).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(self.store.deliveries(id, failed, limit).await?))
    }

    /// Repeats a delivery that is over, under the same message id.
    pub async fn replay_delivery(&self, id: DeliveryId) -> Result<ReplayOutcome, Fault> {
        let replayed = self.store.replay_delivery(id, self.now()).await?;
        let Some(delivery) = self.store.delivery(id).await? else { return Ok(ReplayOutcome::Missing) };
        if replayed { self.replayed(delivery.webhook).await } else { Ok(ReplayOutcome::NotYet(delivery.webhook)) }
    }

    /// Takes a webhook back to a moment: all events since are delivered again, in new messages.
    pub async fn replay_since(&self, id: WebhookId, moment: Timestamp) -> Result<ReplayOutcome, Fault> {
        if moment > self.now() {
            return Ok(ReplayOutcome::Ahead);
        }
        let holder = self.chance.hex::<8>();
        let mut held = None;
        for _ in 0..HOLD_TRIES {
            if self.store.webhook(id).await?.is_none() {
                return Ok(ReplayOutcome::Missing);
            }
            let now = self.now();
            held = self.store.hold_webhook(id, WebhookLease { holder: &holder, until: now.plus(HOLD) }, now).await?;
            if held.is_some() {
                break;
            }
            self.clock.sleep(HOLD_WAIT).await;
        }
        let Some(held) = held else { return Ok(ReplayOutcome::Busy) };
        let untold = self.store.follow(&held.cursor, 1).await?.entries;
        let came = if untold.first().is_some_and(|(_, entry)| entry.at < moment) {
            ReplayOutcome::NotYet(id)
        } else {
            let cursor = self.store.cursor_since(moment, &held.cursor).await?;
            let hold = WebhookLease { holder: &holder, until: self.now().plus(HOLD) };
            if self.store.move_webhook(id, hold, &cursor, None).await? {
                ReplayOutcome::Yes
            } else {
                ReplayOutcome::Busy
            }
        };
        self.store.release_webhook(id, &holder).await?;
        if came == ReplayOutcome::Yes { self.replayed(id).await } else { Ok(came) }
    }

    /// Wakes the dispatcher, and says when the events are delivered.
    async fn replayed(&self, id: WebhookId) -> Result<ReplayOutcome, Fault> {
        self.webhooks_changed.notify_one();
        let disabled = self.store.webhook(id).await?.is_some_and(|held| held.webhook.disabled.is_some());
        Ok(if disabled { ReplayOutcome::OnceEnabled(id) } else { ReplayOutcome::Yes })
    }

    /// Sends a webhook an empty list of events, signed as all are, and gives its answer. `None` if there is no such
    /// webhook. Nothing is recorded.
    pub async fn test_webhook(&self, id: WebhookId) -> Result<Option<WebhookAnswer>, Fault> {
        let Some(held) = self.store.webhook(id).await? else { return Ok(None) };
        let message = format!("test_{}", self.chance.hex::<16>());
        Ok(Some(self.call_webhook(&held.webhook, &message, b"[]".to_vec()).await))
    }

    /// How deliveries have ended since the start.
    pub fn delivery_counts(&self) -> &DeliveryCounts {
        &self.deliveries
    }

    /// Whether webhooks may be in the installation's own network.
    pub(super) fn reach(&self, webhook: &Webhook) -> Reach {
        if webhook.allow_private && self.settings.private_webhooks { Reach::Private } else { Reach::Public }
    }

    fn draw_webhook_key(&self) -> Secret {
        Secret::new(self.chance.bytes::<KEY_LENGTH>().to_vec())
    }

    fn seal_webhook_keys(&self, id: WebhookId, keys: &WebhookKeys) -> Result<Sealed, Fault> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(keys).map_err(Fault::internal)?);
        Ok(self.keys.seal(Webhook::keys_place(id), self.chance.bytes(), &plain))
    }

    pub(super) fn open_webhook_keys(&self, webhook: &Webhook) -> Result<WebhookKeys, Fault> {
        let plain = self.keys.open(Webhook::keys_place(webhook.id), &webhook.keys).map_err(Fault::internal)?;
        serde_json::from_slice(plain.expose()).map_err(Fault::internal)
    }

    pub(super) fn open_webhook_headers(&self, webhook: &Webhook) -> Result<Headers, Fault> {
        let plain = self.keys.open(Webhook::headers_place(webhook.id), &webhook.headers).map_err(Fault::internal)?;
        serde_json::from_slice(plain.expose()).map_err(Fault::internal)
    }
}
