//! The use cases, one method each.
//!
//! The engine owns the clock, the randomness and the keys. It draws what must be drawn, proves what can be proved
//! before the lock, hands a pure rule to the store, and wakes whoever waits. It decides nothing: that is `domain`'s.
//! Every dialect calls the same methods, so no door knows a rule the others do not.

mod bursts;
mod calls;
pub mod chance;
pub mod clients;
pub mod clock;
pub mod enrol;
mod error;
mod events;
mod folded;
pub mod held;
pub mod import;
mod journal;
pub mod keys;
mod lists;
pub mod network;
pub mod password;
pub mod push;
mod queue;
pub mod readings;
mod reserve;
pub mod saml;
mod secrets;
mod sends;
pub mod sign_in;
mod sizes;
mod smart;
mod tally;
pub mod temp_token;
pub mod tokens;
pub mod trusted;
mod turns;
pub mod users;
pub mod verify;
mod warn;
pub mod webhooks;
pub mod words;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use domain::{Content, Keyring, Message, Policy, Sealed, SecretMark, Timestamp, UserId};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

pub use bursts::{Bursts, Slow};
pub use chance::Chance;
pub use clock::Clock;
pub use enrol::{Door, EnrolRequest, EnrolledDevice, Setup};
pub use error::Error;
pub use events::{Event, EventList};
pub use import::Import;
pub use lists::Turn;
pub use password::{Foreign, SaltOrder};
pub use readings::{DeviceReading, VerificationReading};
pub use reserve::ReserveCalls;
pub use secrets::Marked;
pub use sends::{MessageBudget, Whose};
pub use sizes::Watched;
pub use smart::{Judged, SmartChannel, SmartError, VisitRequest};
pub use store::{AuditRow, Collision, EventFilter, EventPage, Page, Span, TextFilter, UserFilter, UserPage};
pub use tally::{Ended, Tally};
pub use tokens::{Caller, TokenPair};
pub use trusted::{ClockReading, TrustedTime};
pub use users::NewPassword;
pub use verify::{Answer, OpenRequest, OpenedVerification};

/// The target of spans, for whoever collects traces. They are of the finest level, so that nobody else pays for them.
pub const TRACES: &str = "countersign::traces";

/// What an operator sets once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's name: the dialect's `subdomain`.
    pub subdomain: String,
    /// The dialect's `account_id`.
    pub account_id: i64,
    /// What links and callbacks begin with, if configured (rulings 29b).
    pub public_url: Option<String>,
    /// The rules decisions obey.
    pub policy: Policy,
    /// Networks from which a log-in needs no factor.
    pub trusted_networks: Vec<network::Network>,
    /// Whether webhooks that ask for it may be in the installation's own network (SEC 69).
    pub private_webhooks: bool,
    /// How many polls may be held.
    pub held: held::Room,
}

/// Everything a dialect can ask for.
pub struct Engine {
    store: store::Store,
    keys: Keyring,
    marked: Marked,
    clock: Arc<dyn Clock>,
    time: TrustedTime,
    chance: Arc<dyn Chance>,
    settings: Settings,
    outbox: delivery::Outbox,
    queued: Notify,
    callers: moka::sync::Cache<domain::Digest, Arc<Caller>>,
    hasher: password::Hasher,
    tally: tally::Tally,
    lists: lists::Lists,
    first_key: tokio::sync::Mutex<()>,
    keys_made: AtomicU64,
    held: held::Held,
    sends: sends::Sends,
    caller: delivery::webhook::Caller,
    webhooks_changed: Notify,
    told: webhooks::Tolds,
    folded: folded::Folded,
    watch: sizes::Watch,
}

/// What an engine is made of.
pub struct Parts {
    /// The database.
    pub store: store::Store,
    /// The master keys, already checked against the database ([`keys::check`]).
    pub keys: Keyring,
    /// The installation's own key; its secrets have their marks.
    pub marked: Marked,
    /// Time, as far as it is trusted.
    pub time: TrustedTime,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// What the operator set.
    pub settings: Settings,
    /// The last hops that work.
    pub channels: Vec<Arc<dyn delivery::Channel>>,
    /// What calls webhooks.
    pub caller: delivery::webhook::Caller,
}

impl Engine {
    /// An engine over its parts. Its background work is started by [`Self::run`].
    pub fn new(parts: Parts) -> Self {
        Self {
            outbox: delivery::Outbox::new(parts.store.clone(), parts.keys.clone(), parts.channels),
            store: parts.store,
            keys: parts.keys,
            marked: parts.marked,
            clock: parts.time.clock().clone(),
            time: parts.time,
            chance: parts.chance,
            held: held::Held::new(parts.settings.held),
            settings: parts.settings,
            queued: Notify::new(),
            callers: tokens::caller_cache(),
            hasher: password::Hasher::default(),
            tally: tally::Tally::default(),
            lists: lists::Lists::default(),
            first_key: tokio::sync::Mutex::default(),
            keys_made: AtomicU64::new(0),
            sends: sends::Sends::default(),
            caller: parts.caller,
            webhooks_changed: Notify::new(),
            told: webhooks::Tolds::default(),
            folded: folded::Folded::default(),
            watch: sizes::Watch::default(),
        }
    }

    /// The present moment, as far as it is trusted: it never goes back, and decides what is over (SEC 74).
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The database, for the binary's own chores. Dialects have no use for it.
    pub fn store(&self) -> &store::Store {
        &self.store
    }

    /// Background work: sends queued messages and sweeps what has expired, until the future is dropped.
    pub async fn run(&self) {
        tokio::join!(
            self.learn_pace(),
            self.deliver_for_ever(),
            self.sweep_for_ever(),
            self.hear_for_ever(),
            self.learn_for_ever(),
            self.keep_time_for_ever()
        );
    }

    /// Wakes the polls about users whom another node has decided about.
    async fn hear_for_ever(&self) {
        let mut elsewhere = self.store.answered();
        loop {
            match elsewhere.recv().await {
                Ok(user) => self.held.wake(user),
                Err(RecvError::Lagged(_)) => self.held.wake_all(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn deliver_for_ever(&self) {
        let elsewhere = self.store.wake_ups();
        loop {
            let next = match self.outbox.deliver_due(self.now()).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    Some(self.now().plus(clock::RETRY))
                }
            };
            // Another node's notice can be lost, so look now and then.
            let wait = next.map_or(clock::POLL, |at| at.since(self.now()).clamp(1, clock::POLL));
            tokio::select! {
                () = self.queued.notified() => {}
                () = elsewhere.notified() => {}
                () = self.clock.sleep(wait) => {}
            }
        }
    }

    /// How verifications have ended since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    async fn sweep_for_ever(&self) {
        for turn in 0_u64.. {
            self.record_folded(false).await;
            if turn.is_multiple_of(clock::SIZES_EVERY) {
                self.watch_sizes().await;
            }
            match self.store.sweep(self.now()).await {
                Ok(_) => self.watch.swept(self.now()),
                Err(error) => tracing::warn!(%error, "the clean-up failed and will be tried again"),
            }
            let before = self.now().plus(-domain::webhook::KEEP_DELIVERIES);
            if let Err(error) = self.store.sweep_deliveries(before).await {
                tracing::warn!(%error, "the log of webhooks was not cleaned up and will be next time");
            }
            self.clock.sleep(clock::SWEEP).await;
        }
    }

    /// Wakes the sender: a decision may have queued something.
    fn wake_outbox(&self) {
        self.queued.notify_one();
    }

    /// Seals a message's words for its row.
    fn seal_content(&self, id: domain::MessageId, user: UserId, content: &Content) -> Result<Sealed, Error> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(content).map_err(Error::internal)?);
        Ok(self.keys.seal(Message::place(id, user), self.chance.bytes(), &plain))
    }

    /// Seals a credential for its device's row, with the mark by which its secret is recognised.
    fn seal_credential(
        &self,
        id: domain::DeviceId,
        user: UserId,
        credential: &domain::Credential,
    ) -> Result<Kept, Error> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(credential).map_err(Error::internal)?);
        let sealed = self.keys.seal(domain::Device::credential_place(id, user), self.chance.bytes(), &plain);
        Ok(Kept { sealed, secret: SecretMark::of(credential, self.marked.key()) })
    }

    /// Opens a device's credential.
    fn open_credential(&self, device: &domain::Device) -> Result<domain::Credential, Error> {
        open_credential(&self.keys, device).map_err(Error::internal)
    }
}

/// A credential as its device keeps it.
struct Kept {
    sealed: Sealed,
    secret: Option<SecretMark>,
}

/// Why a stored credential could not be read: a fault of the installation, never of the caller.
#[derive(Debug, thiserror::Error)]
enum SealedError {
    #[error("the credential of device {0} does not open")]
    Closed(i64, #[source] domain::SealError),
    #[error("the credential of device {0} is not one")]
    Shape(i64, #[source] serde_json::Error),
}

fn open_credential(keys: &Keyring, device: &domain::Device) -> Result<domain::Credential, SealedError> {
    let place = domain::Device::credential_place(device.id, device.user_id);
    let plain = keys.open(place, &device.credential).map_err(|error| SealedError::Closed(device.id.0, error))?;
    serde_json::from_slice(plain.expose()).map_err(|error| SealedError::Shape(device.id.0, error))
}
