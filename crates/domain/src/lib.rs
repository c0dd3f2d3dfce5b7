//! What is true: types, factors and decisions.
//!
//! Everything here is a pure function of its arguments. Time arrives as [`Timestamp`], chance arrives as values already
//! drawn, and the world is changed only by returning [`Change`]s for the store to apply. Nothing in this crate waits,
//! reads a file, or knows what HTTP is, so every rule can be tested in microseconds and judged under a lock.

pub mod app;
pub mod audit;
pub mod budget;
pub mod burst;
pub mod client;
pub mod country;
pub mod decision;
pub mod device;
pub mod digest;
pub mod enrolment;
pub mod factor;
pub mod holding;
pub mod id;
pub mod import;
pub mod message;
pub mod name;
pub mod need;
pub mod policy;
pub mod reach;
pub mod reserve;
pub mod risk;
pub mod seal;
pub mod secret;
pub mod sends;
pub mod sign_in;
pub mod standing;
pub mod temp_token;
pub mod text;
pub mod throttle;
pub mod time;
pub mod trusted;
pub mod used;
pub mod user;
pub mod verification;
pub mod warning;
pub mod webhook;

pub use audit::{AuditEvent, AuditKind};
pub use budget::{Budget, BudgetView, Spent};
pub use burst::CallRate;
pub use client::{Client, ClientOptions, ClientView, CompatProfile, Right, Scope, TokenSet};
pub use country::Countries;
pub use decision::{Change, Decision, View};
pub use device::{Device, DeviceStatus};
pub use digest::{Digest, KeyedHash, MacKeys, OwnKey};
pub use factor::{Challenge, Credential, Evidence, FactorKind, Freshness, Proof, Response};
pub use id::{ClientId, DeviceId, MessageId, UserId, VerificationId};
pub use message::{Channel, Content, Message};
pub use policy::{MfaPolicy, Policy, SignInPolicy};
pub use seal::{Keyring, Place, SealError, Sealed};
pub use secret::Secret;
pub use sends::{Recipient, SendLimits};
pub use temp_token::TempToken;
pub use throttle::{Throttle, ThrottleKey};
pub use time::Timestamp;
pub use used::{Counts, SecretMac, SecretMark};
pub use user::{Profile, ShownStatus, User, UserLock, UserStatus};
pub use verification::{Outcome, Purpose, Reason, Status, Verification};
