//! The use cases, one method each.
//!
//! The engine owns the clock, the randomness and the keys. It draws what must be drawn, proves what can be proved
//! before the lock, hands a pure rule to the store, and wakes whoever waits. It decides nothing: that is `domain`'s.
//! Every dialect calls the same methods, so no door knows a rule the others do not.

mod apps;
mod background;
mod challenges;
pub mod chance;
mod clients;
pub mod clock;
mod decide;
mod devices;
mod error;
mod events;
mod housekeeping;
pub mod import;
pub mod keys;
mod login;
mod metrics;
mod users;
pub mod webhooks;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use domain::{Keyring, Policy, Timestamp};
use tokio::sync::Notify;

pub use apps::BadApp;
pub use challenges::answer::Answer;
pub use challenges::draw::{Door, Setup};
pub use challenges::held_polls::{Hold, Room};
pub use challenges::message_budgets::{MessageBudget, Whose};
pub use challenges::message_text::{Template, minutes};
pub use challenges::open::{OpenRequest, OpenedVerification};
pub use chance::Chance;
pub use clients::hourly_quota::ReserveCalls;
pub use clients::list_turns::Turn;
pub use clients::manage::NewSecret;
pub use clients::rate_limit::{Bursts, Slow};
pub use clients::tokens::{Caller, TokenAnswer, TokenPair};
pub use clock::Clock;
pub use clock::trusted::{ClockReading, TrustedTime};
pub use devices::enrol::{EnrolRequest, EnrolledDevice};
pub use devices::push::{Asked, Paired};
pub use error::Error;
pub use events::{Event, EventList};
pub use housekeeping::sizes::Watched;
pub use import::Import;
pub use keys::installation_key::Marked;
pub use login::enter::{SignIn, SignInAnswer};
pub use login::foreign_password::{Foreign, SaltOrder};
pub use login::network::{BadNetwork, Network};
pub use login::risk::{Judged, SmartChannel, SmartError, VisitRequest};
pub use login::session::{Factor, Granted, Session};
pub use login::step::{Shown, Step, StepAnswer};
pub use metrics::{Ended, Tally};
pub use store::{AuditRow, Collision, EventFilter, EventPage, Page, Span, TextFilter, UserFilter, UserPage};
pub use users::manage::NewPassword;
pub use users::queries::{DeviceReading, VerificationReading};
pub use users::temp_token::IssuedToken;

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
    pub trusted_networks: Vec<Network>,
    /// Whether webhooks that ask for it may be in the installation's own network (SEC 69).
    pub private_webhooks: bool,
    /// How many polls may be held.
    pub held: Room,
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
    hasher: login::password::Hasher,
    tally: Tally,
    lists: clients::list_turns::Lists,
    first_key: tokio::sync::Mutex<()>,
    keys_made: AtomicU64,
    held: challenges::held_polls::Held,
    sends: challenges::message_budgets::Sends,
    caller: delivery::webhook::Caller,
    webhooks_changed: Notify,
    told: webhooks::Tolds,
    folded: housekeeping::folded::Folded,
    watch: housekeeping::sizes::Watch,
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
            held: challenges::held_polls::Held::new(parts.settings.held),
            settings: parts.settings,
            queued: Notify::new(),
            callers: clients::tokens::caller_cache(),
            hasher: login::password::Hasher::default(),
            tally: Tally::default(),
            lists: clients::list_turns::Lists::default(),
            first_key: tokio::sync::Mutex::default(),
            keys_made: AtomicU64::new(0),
            sends: challenges::message_budgets::Sends::default(),
            caller: parts.caller,
            webhooks_changed: Notify::new(),
            told: webhooks::Tolds::default(),
            folded: housekeeping::folded::Folded::default(),
            watch: housekeeping::sizes::Watch::default(),
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

    /// How verifications have ended since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}
