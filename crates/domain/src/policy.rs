//! What an operator may set and decisions obey. The guess limits are not here: they are fixed in [`crate::throttle`].

use serde::{Deserialize, Serialize};

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
    /// Country prefixes that may receive text messages and calls, as `+1`. None by default (SEC 18).
    pub country_prefixes: Vec<String>,
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
    /// Whether devices of this kind can be enrolled and challenged.
    pub fn offers(&self, factor: FactorKind) -> bool {
        self.factors.contains(&factor)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            factors: vec![FactorKind::Totp, FactorKind::Hotp],
            country_prefixes: Vec::new(),
            message_limits: true,
            sends: SendLimits::default(),
            issuer: "Countersign".to_owned(),
            sign_in: SignInPolicy::default(),
        }
    }
}
