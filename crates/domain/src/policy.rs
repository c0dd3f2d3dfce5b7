//! What an operator may set and decisions obey. The guess limits are not here: they are fixed in [`crate::throttle`].

use serde::{Deserialize, Serialize};

use crate::country::Countries;
use crate::factor::FactorKind;
use crate::sends::SendLimits;
use crate::time::SECOND;

/// Whether a log-in asks for a factor (rulings 30a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaPolicy {
    /// Never.
    Off,
    /// When the user has a device that was ever in use, for as long as it exists ([`crate::need`]).
    #[default]
    Optional,
    /// Always: without a device or a temporary token there is no log-in.
    Required,
}

/// The rules of the log-in flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInPolicy {
    /// Whether a factor is asked for, where the user has no rule of their own.
    pub mfa: MfaPolicy,
    /// Life of a log-in's state token, in milliseconds.
    pub ttl: i64,
    /// Days for which a browser is remembered once a factor was shown in it; 0 remembers none.
    pub remember_days: u16,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self { mfa: MfaPolicy::Optional, ttl: 300 * SECOND, remember_days: 0 }
    }
}

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Factors that can be enrolled and challenged: those whose last hop works (rulings 5).
    pub factors: Vec<FactorKind>,
    /// Where text messages and calls may go; nowhere by default (SEC 18).
    pub countries: Countries,
    /// Whether the message limits of SEC 33 are enforced.
    pub message_limits: bool,
    /// Those limits; of no account while `message_limits` is off.
    pub sends: SendLimits,
    /// The account's name in `otpauth` addresses.
    pub issuer: String,
    /// Logging in.
    pub sign_in: SignInPolicy,
}

impl Policy {
    /// Whether devices of this kind can be enrolled and challenged: their last hop works, and numbers that it needs may be
    /// called somewhere.
    pub fn offers(&self, factor: FactorKind) -> bool {
        let is_called = matches!(factor, FactorKind::Sms | FactorKind::Voice);
        self.factors.contains(&factor) && !(is_called && self.countries.is_empty())
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            factors: vec![FactorKind::Totp, FactorKind::Hotp],
            countries: Countries::default(),
            message_limits: true,
            sends: SendLimits::default(),
            issuer: "Countersign".to_owned(),
            sign_in: SignInPolicy::default(),
        }
    }
}
