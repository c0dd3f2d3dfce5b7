//! The kinds of factors, and what holds for each.

use serde::{Deserialize, Serialize};

/// A kind of factor. The number is stored, and is the account-wide `factor_id` of the OneLogin dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// Accept or deny on a paired phone.
    Push = 1,
    /// A code by text message.
    Sms = 2,
    /// A code spoken by telephone, or digits keyed into it.
    Voice = 3,
    /// A code by e-mail.
    Email = 4,
    /// Time-based one-time password, RFC 6238.
    Totp = 5,
    /// Counter-based one-time password, RFC 4226.
    Hotp = 6,
}

impl FactorKind {
    /// Every factor, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Push, Self::Sms, Self::Voice, Self::Email, Self::Totp, Self::Hotp];

    /// The stored number, which is also the wire's `factor_id`.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// Whether a code or prompt must be sent before it can be answered (the wire's `needs_trigger`).
    pub fn needs_trigger(self) -> bool {
        match self {
            Self::Push | Self::Sms | Self::Voice | Self::Email => true,
            Self::Totp | Self::Hotp => false,
        }
    }

    /// Whether its devices compute codes from a shared secret.
    pub fn makes_codes(self) -> bool {
        !self.needs_trigger()
    }

    /// Whether a user may hold several active devices of this kind (rulings 27).
    pub fn may_repeat(self) -> bool {
        match self {
            Self::Push | Self::Sms | Self::Voice | Self::Email => false,
            Self::Totp | Self::Hotp => true,
        }
    }

    /// Whether an administrator may vouch for the target, so that no first code is needed (SEC 19).
    pub fn may_be_trusted(self) -> bool {
        matches!(self, Self::Sms | Self::Voice | Self::Email)
    }

    /// The channel that carries this factor's messages, if it sends any.
    pub fn channel(self) -> Option<crate::model::message::Channel> {
        use crate::model::message::Channel;
        match self {
            Self::Push => Some(Channel::Push),
            Self::Sms => Some(Channel::Sms),
            Self::Voice => Some(Channel::Voice),
            Self::Email => Some(Channel::Email),
            Self::Totp | Self::Hotp => None,
        }
    }
}
