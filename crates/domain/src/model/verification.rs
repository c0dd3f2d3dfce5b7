//! One question put to one device of one user.
//!
//! A v1 state token, a v2 verification and a v2 registration are three names for this one thing.

use serde::{Deserialize, Serialize};

use crate::model::challenge::Challenge;
use crate::model::digest::Digest;
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

/// The state of a verification. Terminal states never change (SEC 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waiting for an answer; over once `expires_at` has passed, whether or not a clean-up noticed.
    Pending,
    Accepted {
        at: Timestamp,
    },
    /// Denied, or answered wrongly too often.
    Rejected {
        at: Timestamp,
    },
    /// Superseded, withdrawn, or its time ran out.
    Expired,
}

impl Status {
    /// The stored number and moment.
    pub fn numbers(self) -> (i64, Option<Timestamp>) {
        match self {
            Self::Pending => (0, None),
            Self::Accepted { at } => (1, Some(at)),
            Self::Rejected { at } => (2, Some(at)),
            Self::Expired => (3, None),
        }
    }

    /// The status with these numbers.
    pub fn from_numbers(number: i64, at: Option<Timestamp>) -> Option<Self> {
        match (number, at) {
            (0, _) => Some(Self::Pending),
            (1, Some(at)) => Some(Self::Accepted { at }),
            (2, Some(at)) => Some(Self::Rejected { at }),
            (3, _) => Some(Self::Expired),
            _ => None,
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
    /// Wrong answers so far.
    pub attempts: i64,
    /// Digest of the v1 state token, where one was issued.
    pub state_token: Option<Digest>,
    /// When a poller collected the result (v1 verify, log-in); v2 reads do not.
    pub consumed_at: Option<Timestamp>,
    pub client_id: Option<ClientId>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its time runs out.
    pub expires_at: Timestamp,
}

impl Verification {
    /// Whether it can be answered at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == Status::Pending && now < self.expires_at
    }

    /// Whether decisions still need to see it: it is pending, or its result waits to be collected by a state token.
    pub fn is_live(&self) -> bool {
        match self.status {
            Status::Pending => true,
            Status::Accepted { .. } | Status::Rejected { .. } => {
                self.state_token.is_some() && self.consumed_at.is_none()
            }
            Status::Expired => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_purpose_is_found_again_by_its_numbers() {
        let at = Timestamp(7);
        for status in [Status::Pending, Status::Accepted { at }, Status::Rejected { at }, Status::Expired] {
            let (number, at) = status.numbers();
            assert_eq!(Status::from_numbers(number, at), Some(status));
        }
        assert_eq!(Status::from_numbers(1, None), None, "accepted without its time");
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_number(purpose.number()), Some(purpose));
        }
    }
}
