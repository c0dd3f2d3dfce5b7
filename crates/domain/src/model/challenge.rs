//! What a person must answer.

use serde::{Deserialize, Serialize};

use crate::model::code::Alphabet;
use crate::model::digest::KeyedHash;
use crate::model::id::VerificationId;
use crate::model::secret::Secret;

/// What a person must answer. Holds digests only; no code can be read back from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    /// Nothing was sent: the device makes its own codes (TOTP, HOTP).
    Own,
    /// Enrolled, to be triggered later: nothing was sent yet, and no answer can be right (decision 23).
    Untriggered,
    /// A code was sent.
    Code {
        /// The code, bound to the verification.
        hash: KeyedHash,
        /// Characters in the code.
        length: u8,
        alphabet: Alphabet,
    },
    /// Digits shown to the caller, to be keyed into the telephone and nowhere else (decision 13).
    Keypad {
        /// The digits, bound to the verification.
        hash: KeyedHash,
    },
    /// A phone must sign accept or deny.
    Approval {
        /// What the signature must cover, 32 random bytes.
        nonce: Secret,
        /// The numbers that callers show, the newest last: the person must type that one on the phone. Empty if no
        /// number is asked for.
        numbers: Vec<String>,
    },
    /// A phone must present the pairing code and a key.
    Pairing {
        /// The pairing code. Not bound to the verification, since a phone knows only the code.
        hash: KeyedHash,
    },
}

impl Challenge {
    /// The number that the person must type on the phone, if there is one.
    pub fn number(&self) -> Option<String> {
        if let Self::Approval { numbers, .. } = self { numbers.last().cloned() } else { None }
    }

    /// Whether a typed code can answer this challenge.
    pub fn takes_code(&self) -> bool {
        matches!(self, Self::Own | Self::Code { .. })
    }
}

/// What a sent code is bound to before it is hashed.
pub fn code_context(verification: VerificationId) -> String {
    format!("code/{verification}")
}
