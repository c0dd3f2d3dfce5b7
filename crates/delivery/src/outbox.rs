//! Claims queued messages, sends them, retries, records.

use std::sync::Arc;

use domain::{Content, Keyring, Message, Timestamp};
use store::{Fate, QueuedMessage, Store};

use crate::channel::{Channel, Delivery, Failure};

/// Tries before a message is given up (SEC 72).
pub const MAX_ATTEMPTS: u32 = 3;
/// How long a claim keeps other nodes away, in milliseconds: longer than any sending may take.
pub const LEASE: i64 = 30_000;
/// Messages claimed at once.
const BATCH: usize = 32;
/// Wait before the second and third try, in milliseconds.
const BACK_OFF: [i64; 2] = [1_000, 4_000];

/// The queue of messages, with the channels that empty it.
pub struct Outbox {
    store: Store,
    keys: Keyring,
    channels: Vec<Arc<dyn Channel>>,
}

impl Outbox {
    /// An outbox over `store`, whose messages open with `keys`.
    pub fn new(store: Store, keys: Keyring, channels: Vec<Arc<dyn Channel>>) -> Self {
        Self { store, keys, channels }
    }

    /// Whether messages over this channel have a last hop.
    pub fn carries(&self, channel: domain::Channel) -> bool {
        self.channels.iter().any(|hop| hop.kind() == channel)
    }

    /// Sends everything that is due. Returns when the next message will be, if one is waiting.
    pub async fn deliver_due(&self, now: Timestamp) -> Result<Option<Timestamp>, store::Error> {
        loop {
            let claimed = self.store.claim_messages(now, BATCH, LEASE).await?;
            let full = claimed.len() == BATCH;
            for message in claimed {
                let id = message.message.id;
                let fate = self.send(&message, now).await;
                self.store.settle_message(id, fate, now).await?;
            }
            if !full {
                return self.store.next_message_at().await;
            }
        }
    }

    async fn send(&self, queued: &QueuedMessage, now: Timestamp) -> Fate {
        let message = &queued.message;
        if now >= message.not_after {
            return Fate::Dropped("expired");
        }
        let Some(channel) = self.channels.iter().find(|c| c.kind() == message.channel) else {
            return Fate::Dropped("no channel");
        };
        let Some(content) = self.open(message) else {
            tracing::error!(message = message.id.0, "a queued message does not open with the known keys");
            return Fate::Dropped("does not open");
        };
        let delivery = Delivery {
            id: message.id,
            channel: message.channel,
            user_id: message.user_id,
            device_id: message.device_id,
            verification_id: message.verification_id,
            content,
            created_at: message.created_at,
        };
        match channel.send(&delivery).await {
            Ok(()) => Fate::Sent,
            Err(failure) => {
                let attempt = queued.attempts + 1;
                tracing::warn!(message = message.id.0, channel = message.channel.name(), attempt, %failure, "a message was not sent");
                match (failure, BACK_OFF.get(queued.attempts as usize)) {
                    (Failure::Temporary(_), Some(wait)) if attempt < MAX_ATTEMPTS => {
                        Fate::Retry { at: now.plus(*wait) }
                    }
                    _ => Fate::Dropped("not deliverable"),
                }
            }
        }
    }

    fn open(&self, message: &Message) -> Option<Content> {
        let place = Message::place(message.id, message.user_id);
        let plain = self.keys.open(place, &message.content).ok()?;
        serde_json::from_slice(plain.expose()).ok()
    }
}
