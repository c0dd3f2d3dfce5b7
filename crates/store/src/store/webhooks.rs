//! Webhooks, and the log of their deliveries. One node at a time delivers a webhook: the one that holds it, by a row that
//! says who and until when. What moves a webhook's position is void unless its holder still holds it, so a node that was
//! thought dead and comes back can repeat a call, and never take a position back or forward.

use domain::model::outbound::OutboundFault;
use domain::model::webhook::{DeliveryId, DisableReason, Webhook, WebhookAnswer, WebhookId};
use domain::{Sealed, Timestamp};

use super::follow::Cursor;
use super::handle::Store;
use crate::error::Error;
use crate::query::BATCH;
use crate::rows;
use crate::schema::columns::{DELIVERY, WEBHOOK};
use crate::schema::sql;
use crate::value::{Row, Write, params};

/// A webhook with its position in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldWebhook {
    pub webhook: Webhook,
    /// Its position in the audit trail.
    pub cursor: Cursor,
}

/// Who holds a webhook, and until when.
#[derive(Debug, Clone, Copy)]
pub struct WebhookLease<'a> {
    /// A name that no other node has.
    pub holder: &'a str,
    /// Until when, unless it is prolonged.
    pub until: Timestamp,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// To be tried, or tried again.
    Waiting,
    /// Taken by the receiver.
    Delivered,
    Failed,
}

impl DeliveryStatus {
    fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Delivered => 1,
            Self::Failed => 2,
        }
    }
}

/// A batch of events on its way to a webhook, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    pub id: DeliveryId,
    /// The webhook that receives it.
    pub webhook: WebhookId,
    /// What the receiver knows it by: the same in every try.
    pub message: String,
    /// The events, by the ids of their entries, in order.
    pub events: Vec<i64>,
    /// How far it is.
    pub status: DeliveryStatus,
    /// Whether an operator asked for it again; later deliveries do not wait for it.
    pub replay: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Timestamp,
    /// When trying began.
    pub began_at: Timestamp,
    /// What the last try ended with.
    pub answer: Option<WebhookAnswer>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was taken or given up.
    pub settled_at: Option<Timestamp>,
    /// When the first of its events happened.
    pub oldest_at: Timestamp,
}

/// What a try ended with, and what follows.
#[derive(Debug, Clone, Copy)]
pub struct Tried {
    pub answer: WebhookAnswer,
    /// How far the delivery is now.
    pub status: DeliveryStatus,
    /// When it is tried again, while it waits.
    pub next_attempt_at: Timestamp,
    /// When this was.
    pub at: Timestamp,
    /// Whether the receiver asked for no more deliveries.
    pub gone: bool,
}

impl Store {
    /// Keeps a new webhook.
    pub async fn create_webhook(&self, webhook: &Webhook, cursor: &Cursor) -> Result<(), Error> {
        let (disabled_at, reason) = disabled(webhook.disabled);
        let params = params![
            webhook.id.0,
            webhook.name.as_str(),
            webhook.url.as_str(),
            webhook.keys.0.clone(),
            webhook.headers.0.clone(),
            webhook.allow_private,
            disabled_at,
            reason,
            webhook.created_at,
            position(cursor)?,
            0_i64,
        ];
        self.change(sql::INSERT_WEBHOOK, params).await.map(|_| ())
    }

    /// All webhooks, oldest first.
    pub async fn webhooks(&self) -> Result<Vec<HeldWebhook>, Error> {
        self.listed(sql::WEBHOOKS, Vec::new(), webhook).await
    }

    /// The webhook with this id.
    pub async fn webhook(&self, id: WebhookId) -> Result<Option<HeldWebhook>, Error> {
        Ok(self.listed(sql::WEBHOOK, vec![id.0.into()], webhook).await?.pop())
    }

    /// Forgets a webhook with its log. Says whether there was one.
    pub async fn delete_webhook(&self, id: WebhookId) -> Result<bool, Error> {
        // Locked first, so that no delivery comes in between.
        let lock = Write::new(sql::UNHOLD_WEBHOOK, params![id.0]);
        let deletions =
            [sql::DELETE_DELIVERIES, sql::DELETE_WEBHOOK].map(|statement| Write::new(statement, params![id.0]));
        self.write_if(lock, deletions.to_vec()).await
    }

    /// Replaces a webhook's keys, unless somebody else has done so since `before` was read.
    pub async fn set_webhook_keys(&self, id: WebhookId, before: &Sealed, keys: Sealed) -> Result<bool, Error> {
        let params = params![keys.0, id.0, before.0.clone()];
        Ok(self.change(sql::SET_WEBHOOK_KEYS, params).await? > 0)
    }

    /// Disables a webhook since a moment and for a reason, or enables it. Returns whether there is one.
    pub async fn set_webhook_disabled(
        &self,
        id: WebhookId,
        because: Option<(Timestamp, DisableReason)>,
    ) -> Result<bool, Error> {
        let (at, reason) = disabled(because);
        Ok(self.change(sql::SET_WEBHOOK_DISABLED, params![at, reason, id.0]).await? > 0)
    }

    /// Takes a webhook for `hold`, unless somebody else holds it at `now`. Gives it as it is then.
    pub async fn hold_webhook(
        &self,
        id: WebhookId,
        hold: WebhookLease<'_>,
        now: Timestamp,
    ) -> Result<Option<HeldWebhook>, Error> {
        let params = params![hold.holder, hold.until, id.0, now];
        if self.change(sql::HOLD_WEBHOOK, params).await? == 0 {
            return Ok(None);
        }
        self.webhook(id).await
    }

    /// Lets go of a webhook.
    pub async fn release_webhook(&self, id: WebhookId, holder: &str) -> Result<(), Error> {
        self.change(sql::RELEASE_WEBHOOK, params![id.0, holder]).await.map(|_| ())
    }

    /// Moves a webhook's position and writes down what is to be delivered from before it, all or nothing. Says whether
    /// the webhook was still held.
    pub async fn move_webhook(
        &self,
        id: WebhookId,
        hold: WebhookLease<'_>,
        cursor: &Cursor,
        delivery: Option<&WebhookDelivery>,
    ) -> Result<bool, Error> {
        let moving = Write::new(sql::MOVE_WEBHOOK, params![position(cursor)?, hold.until, id.0, hold.holder]);
        self.write_if(moving, delivery.map(insert).into_iter().collect()).await
    }

    /// Records what a try ended with. Says whether the webhook is still held, now until the end of `hold`.
    pub async fn record_try(
        &self,
        delivery: &WebhookDelivery,
        tried: Tried,
        hold: WebhookLease<'_>,
    ) -> Result<bool, Error> {
        let settled = (tried.status != DeliveryStatus::Waiting).then_some(tried.at);
        let (http_status, fault) = answer_columns(Some(tried.answer));
        let settle = params![tried.status.number(), tried.next_attempt_at, http_status, fault, settled, delivery.id.0];
        // Another node that delivers it too may have succeeded already.
        self.change(sql::RECORD_TRY, settle).await?;
        if tried.gone {
            self.set_webhook_disabled(delivery.webhook, Some((tried.at, DisableReason::Gone))).await?;
        }
        let params = params![hold.until, delivery.webhook.0, hold.holder];
        Ok(self.change(sql::PROLONG_WEBHOOK, params).await? > 0)
    }

    /// What waits for a webhook, oldest first; repeated deliveries come last.
    pub async fn waiting_deliveries(&self, id: WebhookId) -> Result<Vec<WebhookDelivery>, Error> {
        self.listed(sql::WAITING_DELIVERIES, vec![id.0.into()], delivery).await
    }

    /// The newest deliveries of a webhook, or those that were given up.
    pub async fn deliveries(&self, id: WebhookId, failed: bool, limit: u32) -> Result<Vec<WebhookDelivery>, Error> {
        let statement = if failed { sql::FAILED_DELIVERIES } else { sql::DELIVERIES };
        self.listed(statement, params![id.0, i64::from(limit)], delivery).await
    }

    /// The delivery with this id.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<WebhookDelivery>, Error> {
        Ok(self.listed(sql::DELIVERY, vec![id.0.into()], delivery).await?.pop())
    }

    /// Repeats a delivery that is over, under the same message id. Returns whether there is one that is over.
    pub async fn replay_delivery(&self, id: DeliveryId, now: Timestamp) -> Result<bool, Error> {
        Ok(self.change(sql::REPLAY_DELIVERY, params![now, id.0]).await? > 0)
    }

    /// When the oldest event happened that was tried and not yet delivered to a webhook that is enabled.
    pub async fn oldest_undelivered(&self) -> Result<Option<Timestamp>, Error> {
        let found = self.listed(sql::OLDEST_UNDELIVERED, Vec::new(), rows::opt_number).await?;
        Ok(found.into_iter().flatten().next().map(Timestamp))
    }

    /// Forgets deliveries that are over and were made before a moment, a bounded number at a time.
    pub async fn sweep_deliveries(&self, before: Timestamp) -> Result<u64, Error> {
        self.change(sql::SWEEP_DELIVERIES, params![before, BATCH]).await
    }
}

fn disabled(because: Option<(Timestamp, DisableReason)>) -> (Option<Timestamp>, Option<&'static str>) {
    because.map(|(at, reason)| (at, reason.name())).unzip()
}

fn position(cursor: &Cursor) -> Result<String, Error> {
    serde_json::to_string(cursor).map_err(|_| Error::Corrupt("a webhook's position"))
}

fn answer_columns(answer: Option<WebhookAnswer>) -> (Option<i64>, Option<&'static str>) {
    match answer {
        None => (None, None),
        Some(WebhookAnswer::Status(status)) => (Some(status.into()), None),
        Some(WebhookAnswer::Fault(fault)) => (None, Some(fault.name())),
    }
}

fn insert(delivery: &WebhookDelivery) -> Write {
    let (http_status, fault) = answer_columns(delivery.answer);
    let events: Vec<u8> = delivery.events.iter().flat_map(|id| id.to_be_bytes()).collect();
    let params = params![
        delivery.id.0,
        delivery.webhook.0,
        delivery.message.as_str(),
        events,
        delivery.status.number(),
        delivery.replay,
        i64::from(delivery.attempts),
        delivery.next_attempt_at,
        delivery.began_at,
        http_status,
        fault,
        delivery.created_at,
        delivery.settled_at,
        delivery.oldest_at,
    ];
    Write::new(sql::INSERT_DELIVERY, params)
}

fn webhook(row: &dyn Row) -> Result<HeldWebhook, Error> {
    let disabled = match (row.opt_time(WEBHOOK.disabled_at)?, row.opt_text(WEBHOOK.disabled_reason)?) {
        (Some(at), Some(reason)) => {
            Some((at, DisableReason::from_name(reason).ok_or(Error::Corrupt("why a webhook is disabled"))?))
        }
        _ => None,
    };
    Ok(HeldWebhook {
        webhook: Webhook {
            id: WebhookId(row.int(WEBHOOK.id)?),
            name: row.text(WEBHOOK.name)?.to_owned(),
            url: row.text(WEBHOOK.url)?.to_owned(),
            keys: Sealed(row.blob(WEBHOOK.keys)?.to_vec()),
            headers: Sealed(row.blob(WEBHOOK.headers)?.to_vec()),
            allow_private: row.int(WEBHOOK.allow_private)? != 0,
            disabled,
            created_at: row.time(WEBHOOK.created_at)?,
        },
        cursor: serde_json::from_str(row.text(WEBHOOK.position)?)
            .map_err(|_| Error::Corrupt("a webhook's position"))?,
    })
}

fn delivery(row: &dyn Row) -> Result<WebhookDelivery, Error> {
    let (events, rest) = row.blob(DELIVERY.events)?.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Error::Corrupt("a delivery's events"));
    }
    let answer = match (row.opt_int(DELIVERY.http_status)?, row.opt_text(DELIVERY.fault)?) {
        (Some(status), _) => {
            Some(WebhookAnswer::Status(u16::try_from(status).map_err(|_| Error::Corrupt("a delivery's answer"))?))
        }
        (None, Some(fault)) => {
            Some(WebhookAnswer::Fault(OutboundFault::from_name(fault).ok_or(Error::Corrupt("a delivery's fault"))?))
        }
        (None, None) => None,
    };
    Ok(WebhookDelivery {
        id: DeliveryId(row.int(DELIVERY.id)?),
        webhook: WebhookId(row.int(DELIVERY.webhook_id)?),
        message: row.text(DELIVERY.message_id)?.to_owned(),
        events: events.iter().map(|id| i64::from_be_bytes(*id)).collect(),
        status: match row.int(DELIVERY.status)? {
            0 => DeliveryStatus::Waiting,
            1 => DeliveryStatus::Delivered,
            2 => DeliveryStatus::Failed,
            _ => return Err(Error::Corrupt("a delivery's status")),
        },
        replay: row.int(DELIVERY.replay)? != 0,
        attempts: u32::try_from(row.int(DELIVERY.attempts)?).map_err(|_| Error::Corrupt("a delivery's attempts"))?,
        next_attempt_at: row.time(DELIVERY.next_attempt_at)?,
        began_at: row.time(DELIVERY.began_at)?,
        answer,
        created_at: row.time(DELIVERY.created_at)?,
        settled_at: row.opt_time(DELIVERY.settled_at)?,
        oldest_at: row.time(DELIVERY.oldest_at)?,
    })
}
