//! The kinds of factors, and what holds for each.

use serde::{Deserialize, Serialize};

use crate::model::message::Channel;

/// A kind of factor. The number is stored, and dialects show it.
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

    /// The row of this kind.
    pub fn traits(self) -> FactorTraits {
        match self {
            Self::Push => FactorTraits { channel: Some(Channel::Push), ..SENT },
            Self::Sms => FactorTraits { channel: Some(Channel::Sms), target: Some(TargetKind::Phone), ..VOUCHED },
            Self::Voice => FactorTraits { channel: Some(Channel::Voice), target: Some(TargetKind::Phone), ..VOUCHED },
            Self::Email => FactorTraits { channel: Some(Channel::Email), target: Some(TargetKind::Mail), ..VOUCHED },
            Self::Totp | Self::Hotp => OWN_CODES,
        }
    }

    /// Whether a code or prompt must be sent before it can be answered (the wire's `needs_trigger`).
    pub fn needs_trigger(self) -> bool {
        self.traits().triggered
    }

    /// Whether its devices compute codes from a shared secret.
    pub fn makes_codes(self) -> bool {
        !self.needs_trigger()
    }

    /// Whether a user may hold several active devices of this kind (decision 27).
    pub fn may_repeat(self) -> bool {
        self.traits().may_repeat
    }

    /// Whether an administrator may vouch for the target, so that no first code is needed (SEC 19).
    pub fn may_be_trusted(self) -> bool {
        self.traits().may_be_trusted
    }

    /// The channel that carries this factor's messages, if it sends any.
    pub fn channel(self) -> Option<Channel> {
        self.traits().channel
    }
}

/// What holds for one kind of factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorTraits {
    /// A code or prompt must be sent before it can be answered.
    pub triggered: bool,
    /// A user may hold several active devices.
    pub may_repeat: bool,
    /// An administrator may vouch for the target.
    pub may_be_trusted: bool,
    /// What carries its messages.
    pub channel: Option<Channel>,
    /// Where its messages go, if a person names that.
    pub target: Option<TargetKind>,
}

/// What a person names as the target of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// A telephone number, for texts and calls.
    Phone,
    /// A mail address.
    Mail,
}

const OWN_CODES: FactorTraits =
    FactorTraits { triggered: false, may_repeat: true, may_be_trusted: false, channel: None, target: None };
const SENT: FactorTraits = FactorTraits { triggered: true, may_repeat: false, ..OWN_CODES };
const VOUCHED: FactorTraits = FactorTraits { may_be_trusted: true, ..SENT };
