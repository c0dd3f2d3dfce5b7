//! What is true: types, factors and decisions.
//!
//! Everything here is a pure function of its arguments. Time arrives as [`Timestamp`], chance arrives as values already
//! drawn, and the world is changed only by returning [`Change`]s for the store to apply. Nothing in this crate waits,
//! reads a file, or knows what HTTP is, so every rule can be tested in microseconds and judged under a lock.

pub mod model;
pub mod rules;

pub use model::audit::{AuditEvent, AuditKind};
pub use model::budget::{Budget, BudgetView, Spent};
pub use model::challenge::{AskedFrom, Challenge, LinkChallenge};
pub use model::change::{Change, Decision, View};
pub use model::client::{Client, ClientOptions, ClientProfile, ClientView, Right, Scope, TokenSet};
pub use model::country::Countries;
pub use model::credential::Credential;
pub use model::device::{Device, DeviceStatus, Subscribed};
pub use model::digest::{Digest, KeyedHash, MacKeys, OwnKey};
pub use model::factor::FactorKind;
pub use model::id::{ClientId, DeviceId, MessageId, SessionId, UserId, VerificationId};
pub use model::message::{Channel, Charge, Content, DropReason, Message, SpokenWords};
pub use model::network::Network;
pub use model::policy::{BreakerLimits, MfaPolicy, Policy, SendLimits, SignInPolicy, SpendCaps};
pub use model::price::Prices;
pub use model::refusal::{Reason, Rule};
pub use model::response::{FactorResponse, KeyedDigits};
pub use model::seal::{Keyring, Place, SealError, Sealed};
pub use model::secret::Secret;
pub use model::secret_mark::{Counts, SecretMac, SecretMark};
pub use model::session::{Session, SessionEnd, SessionKind};
pub use model::subscription::PushSubscription;
pub use model::temp_token::TempToken;
pub use model::throttle::{Throttle, ThrottleKey};
pub use model::time::Timestamp;
pub use model::user::{Profile, ShownStatus, User, UserLock, UserStatus};
pub use model::user_patch::UserField;
pub use model::verification::{Purpose, Status, Verification, VerificationEnd};
pub use model::webotp::WebOtpHost;
pub use rules::factor::evidence::{Evidence, Freshness, Heard, Proof};
pub use rules::rate::CallRate;
pub use rules::sends::Recipient;
pub use rules::verification::outcome::Outcome;
