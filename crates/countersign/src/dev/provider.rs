//! The simulated gateway: it delivers into the dev outbox.

use std::sync::Arc;

use delivery::{OutgoingMessage, Provider, SendError, Sending};
use domain::Channel;
use store::{DevMessage, Store};
use tokio::sync::Notify;

/// Carries every channel. Its outbox shows messages beside their verification, so it refuses a message without one.
pub(super) struct DevProvider {
    store: Store,
    arrivals: Arc<Notify>,
}

impl DevProvider {
    /// A gateway that notifies `arrivals` of each message.
    pub(super) fn new(store: Store, arrivals: Arc<Notify>) -> Self {
        Self { store, arrivals }
    }
}

impl Provider for DevProvider {
    fn name(&self) -> &str {
        "dev"
    }

    fn channels(&self) -> &[Channel] {
        &Channel::ALL
    }

    fn send<'a>(&'a self, outgoing: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(async move {
            let about = outgoing.about.ok_or(SendError::Refused)?;
            let content = outgoing.content.clone();
            let message = DevMessage {
                id: 0,
                channel: outgoing.channel,
                to: content.to,
                body: content.body,
                subject: content.subject,
                code: content.code,
                link: content.link,
                nonce: content.nonce,
                user_id: about.user_id,
                device_id: about.device_id,
                verification_id: about.verification_id,
                created_at: outgoing.created_at,
            };
            let recorded = self.store.dev_record(message).await;
            self.arrivals.notify_waiters();
            recorded.map(drop).map_err(|_| SendError::Unavailable)
        })
    }
}
