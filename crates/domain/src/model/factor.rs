//! The kinds of factors, and what holds for each.

use serde::{Deserialize, Serialize};

use crate::model::message::Channel;

/// A kind of factor. What holds for each is its row in [`FactorKind::traits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// Accept or deny on a paired phone.
    Push,
    /// A code by text message.
    Sms,
    /// A code spoken by telephone, or digits keyed into it.
    Voice,
    /// A code by e-mail.
    Email,
    /// Time-based one-time password, RFC 6238.
    Totp,
    /// Counter-based one-time password, RFC 4226.
    Hotp,
}

impl FactorKind {
    /// Every factor, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Push, Self::Sms, Self::Voice, Self::Email, Self::Totp, Self::Hotp];

    /// The stored number, which dialects show too.
    pub fn number(self) -> i64 {
        self.traits().number
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The row of this kind.
    pub fn traits(self) -> FactorTraits {
        use TargetKind::{Mail, Phone};
        match self {
            Self::Push => FactorTraits { setup: SetupKind::Pairing, ..sent(1, Channel::Push) },
            Self::Sms => vouchable(2, Channel::Sms, Phone),
            Self::Voice => vouchable(3, Channel::Voice, Phone),
            Self::Email => vouchable(4, Channel::Email, Mail),
            Self::Totp => own_codes(5),
            Self::Hotp => own_codes(6),
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

    /// What a person names as the target of this factor's messages, if they go where a person says.
    pub fn target(self) -> Option<TargetKind> {
        self.traits().target
    }

    /// How a device of this kind is set up.
    pub fn setup(self) -> SetupKind {
        self.traits().setup
    }
}

/// What holds for one kind of factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorTraits {
    /// The stored number; it never changes.
    pub number: i64,
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
    /// How a device of it is set up.
    pub setup: SetupKind,
}

/// What a person names as the target of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// A telephone number, for texts and calls.
    Phone,
    /// A mail address.
    Mail,
}

/// How a device is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupKind {
    /// An app reads a secret, and computes codes from it.
    Secret,
    /// An app reads a code by which it pairs, and keeps a key.
    Pairing,
    /// Nothing is set up: messages reach the person already.
    Message,
}

const fn own_codes(number: i64) -> FactorTraits {
    FactorTraits {
        number,
        triggered: false,
        may_repeat: true,
        may_be_trusted: false,
        channel: None,
        target: None,
        setup: SetupKind::Secret,
    }
}

const fn sent(number: i64, channel: Channel) -> FactorTraits {
    FactorTraits {
        triggered: true,
        may_repeat: false,
        channel: Some(channel),
        setup: SetupKind::Message,
        ..own_codes(number)
    }
}

const fn vouchable(number: i64, channel: Channel, target: TargetKind) -> FactorTraits {
    FactorTraits { may_be_trusted: true, target: Some(target), ..sent(number, channel) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_numbers_never_change() {
        assert_eq!(FactorKind::ALL.map(FactorKind::number), [1, 2, 3, 4, 5, 6]);
        assert!(FactorKind::ALL.iter().all(|kind| FactorKind::from_number(kind.number()) == Some(*kind)));
        assert_eq!(FactorKind::from_number(0), None);
    }
}
