//! What an operator may set and decisions obey. The guess limits are not here: they are constants of the rules.

use serde::{Deserialize, Serialize};

use crate::model::budget::Budget;
use crate::model::country::Countries;
use crate::model::factor::{FactorKind, TargetKind};
use crate::model::time::SECOND;

/// Whether a log-in asks for a factor (decision 30a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaPolicy {
    Off,
    /// When the user has a device that was ever in use, for as long as it exists.
    #[default]
    Optional,
    /// Always: without a device or a temporary token there is no log-in.
    Required,
}

impl MfaPolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Optional, Self::Required];

    /// The word that operators write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    /// The policy of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// The rules of the log-in flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInPolicy {
    /// Whether a log-in asks for a factor, unless the user has another rule.
    pub mfa: MfaPolicy,
    /// Life of a log-in's state token, in milliseconds.
    pub ttl: i64,
    /// Days for which a browser is remembered once a factor was shown in it; 0 remembers none.
    pub remember_days: u16,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self { mfa: MfaPolicy::default(), ttl: 300 * SECOND, remember_days: 0 }
    }
}

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Factors that can be enrolled and challenged: those whose last hop works (decision 5).
    pub factors: Vec<FactorKind>,
    /// Where text messages and calls may go; nowhere by default (SEC 18).
    pub countries: Countries,
    /// Whether the message limits of SEC 33 are enforced.
    pub message_limits: bool,
    /// Those limits; ignored while `message_limits` is off.
    pub sends: SendLimits,
    /// What messages may cost; ignored while `message_limits` is off.
    pub caps: SpendCaps,
    /// When a prefix of numbers is closed; ignored while `message_limits` is off.
    pub breaker: BreakerLimits,
    /// The account's name in `otpauth` addresses.
    pub issuer: String,
    pub sign_in: SignInPolicy,
}

impl Policy {
    /// The factors of which devices can be enrolled and challenged, in the order in which they are offered.
    pub fn offered(&self) -> Vec<FactorKind> {
        FactorKind::ALL.into_iter().filter(|kind| self.offers(*kind)).collect()
    }

    /// Whether devices of this kind can be enrolled and challenged: their last hop works, and numbers that it needs may be
    /// called somewhere.
    pub fn offers(&self, factor: FactorKind) -> bool {
        let is_called = factor.target() == Some(TargetKind::Phone);
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
            caps: SpendCaps::default(),
            breaker: BreakerLimits::default(),
            issuer: "Countersign".to_owned(),
            sign_in: SignInPolicy::default(),
        }
    }
}

/// What text messages and calls may cost in a day (UTC), in micro-units, where 0 is no cap (SEC 101).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpendCaps {
    /// All of them together.
    pub server: i64,
    /// Those that one client had sent.
    pub client: i64,
    /// Those to the numbers of one country.
    pub country: i64,
}

impl SpendCaps {
    /// The cap of a day that this budget has, if it has one.
    pub fn per_day(&self, budget: Budget) -> Option<i64> {
        let cap = match budget {
            Budget::SpendOfServer => self.server,
            Budget::SpendOfClient(_) => self.client,
            Budget::SpendOfCountry(_) => self.country,
            _ => 0,
        };
        Some(cap).filter(|cap| *cap > 0)
    }

    /// Whether all caps are off.
    pub fn are_off(&self) -> bool {
        *self == Self::default()
    }
}

/// When messages to a prefix of numbers are answered too seldom (SEC 102).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimits {
    /// How many messages must be known before a prefix is judged.
    pub least: u32,
    /// Percent of them that must be answered; 0 closes no prefix.
    pub percent: u32,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { least: 20, percent: 10 }
    }
}

/// Most messages, where 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLimits {
    /// Shortest time between two messages to a device, in milliseconds.
    pub device_interval: i64,
    /// To one device in any ten minutes.
    pub device_per_ten_minutes: u32,
    /// To one number or address in any day.
    pub target_per_day: u32,
    /// To a hundred adjacent numbers in any hour.
    pub block_per_hour: u32,
    /// Asked for by one client in a day (UTC).
    pub client_per_day: u32,
    /// Sent by all nodes together in a day (UTC).
    pub server_per_day: u32,
}

impl SendLimits {
    /// The greatest limit of a target. What a block remembers stays small.
    pub const MOST_PER_TARGET: u32 = 100;
    /// The greatest limit of a block.
    pub const MOST_PER_BLOCK: u32 = 1_000;

    /// The limit of a day that this budget has, if it has one.
    pub fn per_day(&self, budget: Budget) -> Option<i64> {
        let limit = match budget {
            Budget::Client(_) => self.client_per_day,
            Budget::Server => self.server_per_day,
            _ => 0,
        };
        Some(limit).filter(|limit| *limit > 0).map(i64::from)
    }

    /// The part of these that callers have who may only look: half of what a device, a number or a hundred of them gets,
    /// rounded up, so that the rest stays for others (SEC 95).
    #[must_use]
    pub fn of_readers(&self) -> Self {
        Self {
            device_per_ten_minutes: self.device_per_ten_minutes.div_ceil(2),
            target_per_day: self.target_per_day.div_ceil(2),
            block_per_hour: self.block_per_hour.div_ceil(2),
            ..*self
        }
    }
}

impl Default for SendLimits {
    fn default() -> Self {
        Self {
            device_interval: 30 * SECOND,
            device_per_ten_minutes: 5,
            target_per_day: 10,
            block_per_hour: 50,
            client_per_day: 10_000,
            server_per_day: 50_000,
        }
    }
}
