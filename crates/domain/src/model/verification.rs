//! One question put to one device of one user.
//!
//! Dialects may give it several names, such as state token, verification and registration: it is one thing.

use serde::{Deserialize, Serialize};

use crate::model::challenge::Challenge;
use crate::model::digest::{Digest, KeyedHash};
use crate::model::id::{ClientId, DeviceId, UserId, VerificationId};
use crate::model::time::Timestamp;

/// Wrong answers that end a verification (SEC 10, SEC 32).
pub const MAX_ATTEMPTS: i64 = 5;

/// What a verification is for. A proof made for one purpose counts for no other (SEC 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Confirms that a device being enrolled works.
    Enrol,
    /// Shows a caller of the API that the person holds the device.
    Login,
    /// Put under the state token of a log-in under way, and good for that log-in only.
    SignIn,
}

impl Purpose {
    /// Every purpose there is.
    pub const ALL: [Self; 3] = [Self::Enrol, Self::Login, Self::SignIn];

    /// The stored number.
    pub fn number(self) -> i64 {
        match self {
            Self::Enrol => 0,
            Self::Login => 1,
            Self::SignIn => 2,
        }
    }

    /// The purpose with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.number() == number)
    }
}

/// The state of a verification, with the facts that only this state has. Terminal states never change (SEC 6), but for
/// the moment at which a result is collected.
///
/// Why something was rejected is not among the facts: the audit trail says it, and callers learn it from the challenge (an
/// approval was denied, a typed code is over).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waiting for an answer; over once `expires_at` has passed, whether or not a clean-up noticed.
    Pending {
        /// Wrong answers so far.
        attempts: i64,
    },
    Accepted {
        at: Timestamp,
        /// When a poller with a state token collected it, or it was withdrawn. Reading the state collects nothing.
        collected: Option<Timestamp>,
    },
    /// Denied, or answered wrongly too often.
    Rejected {
        at: Timestamp,
        /// When it was withdrawn. Pollers see it until then.
        collected: Option<Timestamp>,
    },
    /// Superseded, withdrawn, or its time ran out.
    Expired,
}

impl Status {
    /// The state in which every challenge is put.
    pub const NEW: Self = Self::Pending { attempts: 0 };

    /// Whether an answer is awaited.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Pending { .. })
    }
}

/// How a verification ends. The facts are those of [`Status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationEnd {
    /// Collected already if the answer is used up in the same step.
    Accepted {
        at: Timestamp,
        collected: Option<Timestamp>,
    },
    Rejected {
        at: Timestamp,
        collected: Option<Timestamp>,
    },
    Expired,
}

impl From<VerificationEnd> for Status {
    fn from(end: VerificationEnd) -> Self {
        match end {
            VerificationEnd::Accepted { at, collected } => Self::Accepted { at, collected },
            VerificationEnd::Rejected { at, collected } => Self::Rejected { at, collected },
            VerificationEnd::Expired => Self::Expired,
        }
    }
}

/// One question put to one device of one user, for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub id: VerificationId,
    /// What callers see and ask for: the UUID, or digits for clients that can pass only an integer (decision 11).
    pub wire_id: String,
    pub user_id: UserId,
    pub device_id: DeviceId,
    pub purpose: Purpose,
    /// What must be answered.
    pub challenge: Challenge,
    pub status: Status,
    /// Digest of the state token, where one was issued.
    pub state_token: Option<Digest>,
    pub client_id: Option<ClientId>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its time runs out.
    pub expires_at: Timestamp,
}

impl Verification {
    /// Whether it can be answered at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status.is_pending() && now < self.expires_at
    }

    /// Whether decisions still need to see it: it is pending, or its result waits to be collected by a state token.
    pub fn is_live(&self) -> bool {
        match self.status {
            Status::Pending { .. } => true,
            Status::Accepted { collected, .. } | Status::Rejected { collected, .. } => {
                self.state_token.is_some() && collected.is_none()
            }
            Status::Expired => false,
        }
    }

    /// Whether it stays with its user until it ends: it is live, or it has paired a phone, which may have lost the answer and
    /// asks again (contract 20.2), unless this was withdrawn.
    pub fn is_kept(&self) -> bool {
        self.is_live() || self.paired_with().is_some()
    }

    /// The hash of the code with which it has paired a phone, as long as the phone may ask again.
    pub fn paired_with(&self) -> Option<&KeyedHash> {
        match (&self.status, &self.challenge) {
            (Status::Accepted { collected: None, .. }, Challenge::Pairing { hash }) => Some(hash),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_is_found_again_by_its_number() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_number(purpose.number()), Some(purpose));
        }
    }
}
