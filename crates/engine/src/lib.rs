//! The use cases, one method each.
//!
//! The engine owns the clock, the randomness and the keys. It draws what must be drawn, proves what can be proved
//! before the lock, hands a pure rule to the store, and wakes held polls. It decides nothing: `domain` does.
//! Every dialect calls the same methods, so no door knows a rule the others do not.

mod apps;
mod background;
mod challenges;
pub mod chance;
mod clients;
pub mod clock;
mod decide;
mod decision_name;
mod devices;
mod events;
mod fault;
mod housekeeping;
pub mod import;
pub mod keys;
mod login;
mod metrics;
mod users;
pub mod webhooks;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};

use domain::{Keyring, Policy, Prices, Timestamp};
use tokio::sync::Notify;

pub use apps::AppError;
pub use challenges::answer::AnswerRequest;
pub use challenges::draw::{DeviceSetup, Handle};
pub use challenges::email_mode::EmailMode;
pub use challenges::held_polls::{PollHold, PollLimits};
pub use challenges::link::{LinkAnswer, LinkOutcome, LinkQuestion, MailRequest};
pub use challenges::message_budgets::{BudgetOwner, MessageBudget};
pub use challenges::message_text::{MessageTemplate, TemplateFault, minutes};
pub use challenges::open::{CallStyle, ChallengeError, OpenRequest, OpenedVerification};
pub use challenges::poll_error::PollError;
pub use challenges::prefixes::ClosedPrefixes;
pub use challenges::spending::{SpendBudget, SpendOwner};
pub use challenges::test_message::TestMessageError;
pub use challenges::watched_users::UserWatch;
pub use chance::Chance;
pub use clients::bootstrap::{BootstrapError, Bootstrapped};
pub use clients::caller::ApiCaller;
pub use clients::hourly_quota::QuotaReserve;
pub use clients::list_turns::{ListError, ListTurn};
pub use clients::manage::{ClientError, ClientLimits, NewClientSecret};
pub use clients::rate_limit::{RateLimited, SharedRateLimit};
pub use clients::tokens::{Authentication, TokenAnswer, TokenPair};
pub use clock::Clock;
pub use clock::trusted::{ClockReading, TrustedTime};
pub use decision_name::DecisionName;
pub use devices::enrol::{Confirm, EnrolError, EnrolRequest, EnrolledDevice};
pub use devices::own_codes::OwnCode;
pub use devices::phone::{PhoneError, PhoneRequest, PromptAnswer, WaitingPrompt};
pub use devices::push::{AnsweredCall, PairedPhone};
pub use domain::model::network::{BadNetwork, Network};
pub use events::{Event, EventList};
pub use fault::Fault;
pub use housekeeping::sizes::HousekeepingStatus;
pub use import::Import;
pub use keys::installation_key::InstallationKey;
pub use login::enter::{LoginAnswer, LoginRequest};
pub use login::foreign_password::{ForeignPassword, SaltOrder};
pub use login::password::PasswordCost;
pub use login::password_fault::PasswordFault;
pub use login::risk::{CodeChannel, JudgedVisit, VisitError, VisitRequest};
pub use login::session::{CompletedLogin, OpenedSession, ShownFactor};
pub use login::step::{LoginStep, LoginStepAnswer, LoginStepError, PromptNumber};
pub use metrics::{AnswerCounts, AnswerEnd, DecisionCounts};
pub use store::{AuditRow, Collision, EventFilter, EventPage, Page, Span, Spending, TextFilter, UserFilter, UserPage};
pub use users::error::{CreateUserError, UpdateUserError, UserError};
pub use users::invitation::{InvitationRequest, InviteError, NewInvitation};
pub use users::invited::{
    BegunEnrolment, EnrolmentAnswer, FinishedEnrolment, InvitationError, InvitationForm, InvitationQuestion, SentTo,
};
pub use users::invited_phone::{EnrolmentWait, WaitingPhone};
pub use users::manage::NewPassword;
pub use users::queries::{ListedDevice, VerificationState};
pub use users::temp_token::{IssuedToken, TempTokenError};

/// The target of spans, for collectors of traces. They have the finest level, so they cost nothing without a collector.
pub const TRACES: &str = "countersign::traces";

/// What an operator sets once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's name, where callers name one.
    pub account: String,
    /// The account's number, as callers see it.
    pub account_id: i64,
    /// What links and callbacks begin with, if configured (decision 29b).
    pub public_url: Option<String>,
    /// What mail to a device carries, where its caller does not say.
    pub email_mode: EmailMode,
    /// The rules decisions obey.
    pub policy: Policy,
    /// Networks from which a log-in needs no factor.
    pub trusted_networks: Vec<Network>,
    /// Whether webhooks that ask for it may be in the installation's own network (SEC 69).
    pub private_webhooks: bool,
    /// How many polls may be held.
    pub held: PollLimits,
    /// What text messages and calls cost, if the operator says so.
    pub prices: Option<Arc<Prices>>,
}

/// Everything a dialect can ask for.
pub struct Engine {
    store: store::Store,
    keys: Keyring,
    installation_key: InstallationKey,
    clock: Arc<dyn Clock>,
    time: TrustedTime,
    chance: Arc<dyn Chance>,
    settings: Settings,
    /// What links in mail begin with.
    link_base: OnceLock<String>,
    outbox: delivery::Outbox,
    words: Arc<words::Words>,
    /// Whether messages are sent here: [`Engine::run`] has begun.
    serves: AtomicBool,
    callers: moka::sync::Cache<domain::Digest, Arc<ApiCaller>>,
    hasher: login::password::PasswordHasher,
    answers: AnswerCounts,
    decisions: DecisionCounts,
    list_queues: clients::list_queues::ListQueues,
    first_key: tokio::sync::Mutex<()>,
    keys_made: AtomicU64,
    held: challenges::held_polls::HeldPolls,
    /// What messages cost, and what is left here of the day's messages and money.
    accounts: Arc<challenges::spend_accounts::SpendAccounts>,
    prefixes: challenges::closed_prefixes::Prefixes,
    caller: delivery::webhook::Caller,
    webhooks_changed: Notify,
    deliveries: webhooks::DeliveryCounts,
    folded: housekeeping::folded::Folded,
    housekeeping: housekeeping::sizes::Housekeeping,
}

/// What an engine is made of.
pub struct EngineParts {
    pub store: store::Store,
    /// The master keys, already checked against the database ([`keys::check`]).
    pub keys: Keyring,
    /// The installation's own key; its secrets have their marks.
    pub installation_key: InstallationKey,
    /// Time, as far as it is trusted.
    pub time: TrustedTime,
    pub chance: Arc<dyn Chance>,
    /// What the operator set.
    pub settings: Settings,
    /// What messages and pages say.
    pub words: Arc<words::Words>,
    /// What carries messages. Factors whose channel has no route are not offered.
    pub routes: delivery::Routes,
    /// What calls webhooks.
    pub caller: delivery::webhook::Caller,
    /// What a new password hash costs.
    pub password_cost: PasswordCost,
}

impl Engine {
    /// An engine over its parts. Its background work is started by [`Self::run`].
    pub fn new(mut parts: EngineParts) -> Self {
        let routes = parts.routes;
        let accounts = Arc::new(challenges::spend_accounts::SpendAccounts {
            leases: challenges::message_leases::DayLeases::over(&parts.store),
            prices: parts.settings.prices.clone(),
            caps: parts.settings.policy.caps,
        });
        // What is offered: what the operator allows and a route carries.
        parts.settings.policy.factors.retain(|factor| factor.channel().is_none_or(|channel| routes.carry(channel)));
        Self {
            outbox: delivery::Outbox::new(&parts.store, &parts.keys, routes, accounts.clone()),
            words: parts.words,
            serves: AtomicBool::default(),
            store: parts.store,
            keys: parts.keys,
            installation_key: parts.installation_key,
            held: challenges::held_polls::HeldPolls::new(parts.settings.held, parts.time.clock().clone()),
            clock: parts.time.clock().clone(),
            time: parts.time,
            chance: parts.chance,
            link_base: parts.settings.public_url.clone().map_or_else(OnceLock::new, OnceLock::from),
            settings: parts.settings,
            callers: clients::caller::caller_cache(),
            hasher: login::password::PasswordHasher::new(parts.password_cost),
            answers: AnswerCounts::default(),
            decisions: DecisionCounts::default(),
            list_queues: clients::list_queues::ListQueues::default(),
            first_key: tokio::sync::Mutex::default(),
            keys_made: AtomicU64::new(0),
            accounts,
            prefixes: challenges::closed_prefixes::Prefixes::default(),
            caller: parts.caller,
            webhooks_changed: Notify::new(),
            deliveries: webhooks::DeliveryCounts::default(),
            folded: housekeeping::folded::Folded::default(),
            housekeeping: housekeeping::sizes::Housekeeping::default(),
        }
    }

    /// The present moment, as far as it is trusted: it never goes back, and decides what is over (SEC 74).
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// The clock, for those that wait beside requests.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// What messages and pages say.
    pub fn words(&self) -> &words::Words {
        &self.words
    }

    /// What the operator set, without the factors whose channel has no route.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The database, for the binary's own chores. Dialects have no use for it.
    pub fn store(&self) -> &store::Store {
        &self.store
    }

    /// How decisions ended since the start.
    pub fn decision_counts(&self) -> &DecisionCounts {
        &self.decisions
    }

    /// How verifications have ended since the start.
    pub fn answer_counts(&self) -> &AnswerCounts {
        &self.answers
    }
}
