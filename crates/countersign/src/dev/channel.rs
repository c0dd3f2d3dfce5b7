//! The simulated last hop: a gateway that delivers into the dev outbox.

use std::sync::Arc;

use delivery::channel::Sending;
use delivery::{Delivery, Failure};
use domain::Channel;
use store::{DevMessage, Store};
use tokio::sync::Notify;

/// A gateway of one kind.
pub(super) struct DevChannel {
    kind: Channel,
    store: Store,
    arrivals: Arc<Notify>,
}

impl DevChannel {
    /// A gateway that wakes whoever waits for `arrivals`.
    pub(super) fn new(kind: Channel, store: Store, arrivals: Arc<Notify>) -> Self {
        Self { kind, store, arrivals }
    }
}

impl delivery::Channel for DevChannel {
    fn kind(&self) -> Channel {
        self.kind
    }

    fn send<'a>(&'a self, delivery: &'a Delivery) -> Sending<'a> {
        Box::pin(async move {
            let content = delivery.content.clone();
            let message = DevMessage {
                id: 0,
                channel: delivery.channel,
                to: content.to,
                body: content.body,
                subject: content.subject,
                code: content.code,
                link: content.link,
                nonce: content.nonce,
                user_id: delivery.user_id,
                device_id: delivery.device_id,
                verification_id: delivery.verification_id,
                created_at: delivery.created_at,
            };
            let recorded = self.store.dev_record(message).await;
            self.arrivals.notify_waiters();
            recorded.map(drop).map_err(|error| Failure::Temporary(error.to_string()))
        })
    }
}
