//! What a person must answer.

use serde::{Deserialize, Serialize};

use crate::model::code::{Alphabet, CODE_LENGTH};
use crate::model::digest::{Digest, KeyedHash};
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
    /// A link was mailed. The person confirms on its page, or says that it was somebody else (SEC 11).
    Link(LinkChallenge),
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
        /// What the phone shows of the call that asked for it.
        asked: AskedFrom,
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
        matches!(self, Self::Own) || self.sent_code().is_some()
    }

    /// The code that was sent, if one was.
    pub fn sent_code(&self) -> Option<SentCode<'_>> {
        match self {
            Self::Code { hash, length, alphabet } => {
                Some(SentCode { hash, length: usize::from(*length), alphabet: *alphabet })
            }
            Self::Link(LinkChallenge { code: Some(hash), .. }) => {
                Some(SentCode { hash, length: CODE_LENGTH, alphabet: Alphabet::Digits })
            }
            _ => None,
        }
    }
}

/// A link that was mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkChallenge {
    /// The digest of the link's token. Its 256 random bits are too many to try (SEC 41).
    pub token: Digest,
    /// The digits in the same mail, bound to the verification, if it has some.
    pub code: Option<KeyedHash>,
    /// Where the browser goes once the person has confirmed. On a listed origin (SEC 66).
    pub redirect_to: Option<String>,
    /// What its page shows of the call that asked for it.
    pub asked: AskedFrom,
}

/// Where a call came from that asked a person for an answer. It is shown to the person, and decides nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFrom {
    /// The person's address, as the caller reported it.
    pub person: Option<String>,
    /// The address from which the caller called.
    pub caller: Option<String>,
}

/// A code that was sent, as it can be recognised.
#[derive(Debug, Clone, Copy)]
pub struct SentCode<'a> {
    /// The code, bound to the verification.
    pub hash: &'a KeyedHash,
    /// Characters in it.
    pub length: usize,
    pub alphabet: Alphabet,
}

/// What a sent code is bound to before it is hashed.
pub fn code_context(verification: VerificationId) -> String {
    format!("code/{verification}")
}
