//! The simulated gateway: it delivers into the dev outbox, unless it plays a fault.

use std::sync::Arc;

use delivery::{OutgoingMessage, Provider, SendError, Sending};
use domain::Channel;
use engine::Clock as _;
use engine::clock::MovableClock;
use store::{DevMessage, Store};
use tokio::sync::Notify;

use super::faults::{Fate, Faults};

/// Carries every channel. Its outbox shows messages beside their verification, so it refuses a message without one.
#[derive(Clone)]
pub(super) struct DevProvider {
    store: Store,
    clock: Arc<MovableClock>,
    faults: Arc<Faults>,
    arrivals: Arc<Notify>,
}

impl DevProvider {
    /// A gateway that plays `faults` by this clock, and notifies `arrivals` of each message.
    pub(super) fn new(store: Store, clock: Arc<MovableClock>, faults: Arc<Faults>, arrivals: Arc<Notify>) -> Self {
        Self { store, clock, faults, arrivals }
    }

    async fn arrive(&self, message: DevMessage) -> Result<(), store::Error> {
        let recorded = self.store.dev_record(message).await;
        self.arrivals.notify_waiters();
        recorded.map(drop)
    }

    /// Lets a message arrive later, as networks do: the gateway has taken it, and the outbox has done with it.
    fn arrive_later(&self, message: DevMessage, after: i64) {
        let (gateway, resets) = (self.clone(), self.faults.resets());
        tokio::spawn(async move {
            gateway.clock.sleep(after).await;
            if gateway.faults.resets() == resets
                && let Err(error) = gateway.arrive(message).await
            {
                tracing::error!(%error, "delayed message was not recorded");
            }
        });
    }
}

impl Provider for DevProvider {
    fn name(&self) -> &'static str {
        "dev"
    }

    fn channels(&self) -> &[Channel] {
        &Channel::ALL
    }

    /// By `POST /dev/outbox/ID/keypad`.
    fn takes_digits(&self) -> bool {
        true
    }

    fn signs_digits(&self) -> bool {
        false
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
            match self.faults.judge(outgoing, self.clock.now()) {
                Fate::Arrives { after: 0 } => self.arrive(message).await.map_err(|_| SendError::Unavailable),
                Fate::Arrives { after } => {
                    self.arrive_later(message, after);
                    Ok(())
                }
                Fate::Lost => Ok(()),
                Fate::Fails(error) => Err(error),
            }
        })
    }
}
