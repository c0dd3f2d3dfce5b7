//! What a device is recognised by: a shared secret, a public key, or where messages go.

use serde::{Deserialize, Serialize};

use crate::model::factor::FactorKind;
use crate::model::{hotp, totp};

/// What a device is known by. Immutable; sealed at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    Totp(totp::Totp),
    Hotp(hotp::Hotp),
    /// Canonical E.164 number.
    Sms {
        /// Canonical E.164 number.
        phone: String,
    },
    /// Canonical E.164 number.
    Voice {
        /// Canonical E.164 number.
        phone: String,
    },
    /// A mail address.
    Email {
        /// A mail address.
        address: String,
    },
    /// A phone that holds a P-256 private key.
    Push {
        /// Uncompressed SEC 1 point, 65 bytes; absent until a phone is paired.
        public_key: Option<Vec<u8>>,
    },
}

/// Numbers and addresses are personal: a credential shows only its kind (SEC 48).
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({:?})", self.kind())
    }
}

impl Credential {
    /// The kind of factor this is a credential of.
    pub fn kind(&self) -> FactorKind {
        match self {
            Self::Totp(_) => FactorKind::Totp,
            Self::Hotp(_) => FactorKind::Hotp,
            Self::Sms { .. } => FactorKind::Sms,
            Self::Voice { .. } => FactorKind::Voice,
            Self::Email { .. } => FactorKind::Email,
            Self::Push { .. } => FactorKind::Push,
        }
    }

    /// Digits in the codes that a device with this credential makes itself, if it makes any.
    pub fn own_length(&self) -> Option<usize> {
        match self {
            Self::Totp(totp) => Some(totp.digits.into()),
            Self::Hotp(hotp) => Some(hotp.digits.into()),
            Self::Sms { .. } | Self::Voice { .. } | Self::Email { .. } | Self::Push { .. } => None,
        }
    }

    /// The telephone number, if messages go to one.
    pub fn phone(&self) -> Option<&str> {
        match self {
            Self::Sms { phone } | Self::Voice { phone } => Some(phone),
            _ => None,
        }
    }
}
