//! The life of one verification: open, answer, expire.
//!
//! A v1 state token, a v2 verification and a v2 registration are three names for this one thing. Every function here
//! is handed a fresh [`crate::View`] under the user's lock, so that a proof counts once, a failure is never forgotten,
//! and a refusal is the answer whenever something is in doubt.

#[cfg_attr(not(feature = "testing"), expect(unreachable_pub, reason = "tests reach it"))]
mod answer;
mod find;
mod judge;
mod open;

use serde::{Deserialize, Serialize};

use crate::audit::{AuditEvent, AuditKind};
use crate::client::Right;
use crate::decision::{Change, Decision, View};
use crate::digest::Digest;
use crate::factor::{Challenge, FactorKind};
use crate::id::{ClientId, DeviceId, UserId, VerificationId};
use crate::risk;
use crate::temp_token::{self, TempToken};
use crate::time::Timestamp;
use crate::user::{Profile, User};

#[cfg(feature = "testing")]
pub use answer::answer;
pub use answer::answer_from_device;
pub use find::{Found, Target, find};
pub use judge::{Secrets, judge, judge_at_log_in};
pub(crate) use open::{Besides, discard, end_trust};
pub use open::{Opened, Opening, open};

/// Wrong answers that end a verification (SEC 10, SEC 32).
pub const MAX_ATTEMPTS: i64 = 5;
/// Most open verifications of one device (SEC 35).
pub const MAX_OPEN_PER_DEVICE: usize = 20;

/// What a verification is for. A proof made for one purpose counts for no other (SEC 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Confirms that a device being enrolled works.
    Enrol,
    /// Shows that the person signing in holds the device.
    Login,
    /// A log-in under way, and the challenges put under its state token ([`crate::sign_in`]).
    SignIn,
    /// A session token that waits to be handed in.
    SessionToken,
    /// A session in a browser.
    Session,
    /// A browser in which a factor was shown, remembered for a while.
    Browser,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] =
        [Self::Enrol, Self::Login, Self::SignIn, Self::SessionToken, Self::Session, Self::Browser];

    /// The stored number.
    pub fn number(self) -> i64 {
        match self {
            Self::Enrol => 0,
            Self::Login => 1,
            Self::SignIn => 2,
            Self::SessionToken => 3,
            Self::Session => 4,
            Self::Browser => 5,
        }
    }

    /// The purpose with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.number() == number)
    }
}

/// Where a verification stands. Terminal states never change (SEC 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waiting for an answer; over once `expires_at` has passed, whether or not a clean-up noticed.
    Pending,
    /// Answered rightly.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// Denied, or answered wrongly too often.
    Rejected {
        /// When.
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
    /// Its id.
    pub id: VerificationId,
    /// What callers see and ask for: the UUID, or digits for clients that can pass only an integer (rulings 11).
    pub wire_id: String,
    /// Whose.
    pub user_id: UserId,
    /// Which device.
    pub device_id: DeviceId,
    /// For what.
    pub purpose: Purpose,
    /// What must be answered.
    pub challenge: Challenge,
    /// Where it stands.
    pub status: Status,
    /// Wrong answers so far.
    pub attempts: i64,
    /// Digest of the v1 state token, where one was issued.
    pub state_token: Option<Digest>,
    /// When a poller collected the result (v1 verify, log-in); v2 reads do not.
    pub consumed_at: Option<Timestamp>,
    /// Who asked.
    pub client_id: Option<ClientId>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its time runs out.
    pub expires_at: Timestamp,
}

/// Ends whatever is over by `now`. A decision that refuses something because its time is over does this too: what was once
/// told to be over stays so, whatever a clock says later (SEC 75).
pub(crate) fn close_over(view: &View, now: Timestamp) -> Vec<Change> {
    let mut changes = close_pending(view, |v| now >= v.expires_at);
    if let Some(user) = view.user.as_ref().filter(|u| u.temp_token.as_ref().is_some_and(|t| now >= t.expires_at)) {
        changes.push(Change::SetTempToken(user.id, None));
    }
    changes
}

fn close_pending(view: &View, is_over: impl Fn(&Verification) -> bool) -> Vec<Change> {
    let over = view.verifications.iter().filter(|v| v.status == Status::Pending && is_over(v));
    let close = |v: &Verification| {
        let ended = Change::CloseVerification { verification: v.id, status: Status::Expired, consumed_at: None };
        [ended, Change::DropMessages(v.id)]
    };
    over.flat_map(close).collect()
}

/// Ends all of a user that is over by `over`, for good: time is about to be taken back to `from`, and by then none of it would
/// be over (SEC 75). What began after `from` ends as well: it would live longer than it may, by as much as the clock was
/// ahead. Verifications with their results, the temporary token and visits are all that a user keeps and that runs out.
/// Locks and limits are no trust: they are judged by the moments at which they were made.
pub fn end_over(view: &View, over: Timestamp, from: Timestamp) -> Decision<()> {
    let is_over = |v: &Verification| over >= v.expires_at || v.created_at > from;
    let mut decision = Decision::reply(()).with_all(close_pending(view, is_over));
    let uncollected = view.verifications.iter().filter(|v| v.status != Status::Pending && is_over(v));
    decision = decision.with_all(uncollected.map(|v| Change::ConsumeVerification { verification: v.id, at: over }));
    if let Some(user) = &view.user {
        // No token issued by `from` ends later than the longest life behind it.
        let ends = |token: &TempToken| over >= token.expires_at || token.expires_at > from.plus(temp_token::MAX_TTL);
        if user.temp_token.as_ref().is_some_and(ends) {
            decision = decision.with(Change::SetTempToken(user.id, None));
        }
        let visits = risk::living(&user.profile.visits, over, from);
        if visits.len() < user.profile.visits.len() {
            let profile = Profile { visits, ..user.profile.clone() };
            decision = decision.with(Change::UpdateUser(User { profile, ..user.clone() }));
        }
    }
    decision
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

/// Who asks: for the audit trail, and for what depends on the caller.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The API caller.
    pub client: Option<ClientId>,
    /// What the caller may do to people (SEC 95).
    pub right: Right,
    /// The end user's address as the caller reported it; stored, never judged.
    pub ip: Option<String>,
}

impl Context {
    /// An audit entry of this user by this caller.
    pub fn event(&self, kind: AuditKind, user: UserId, now: Timestamp) -> AuditEvent {
        AuditEvent { ip: self.ip.clone(), ..AuditEvent::of_user(kind, user, now).by(self.client) }
    }
}

/// Why something was refused. On the wire most of these look alike; the audit trail tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No such user.
    NoUser,
    /// No such device of this user.
    NoDevice,
    /// Too many wrong answers, or an administrator's lock: nothing was evaluated. With the end, where there is one.
    Locked(Option<Timestamp>),
    /// The verification or state token is unknown, over, used, or another device's.
    NotOpen,
    /// The device must be triggered and its state token given.
    StateTokenMissing,
    /// A code is needed and none was given.
    CodeMissing,
    /// Wrong code.
    WrongCode,
    /// Right once, and already accepted.
    Replay,
    /// The person said no.
    Denied,
    /// This challenge is not answered by typing a code here.
    NotTyped,
}

impl Reason {
    /// The word in the audit trail.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoUser => "no_user",
            Self::NoDevice => "no_device",
            Self::Locked(_) => "locked",
            Self::NotOpen => "not_open",
            Self::StateTokenMissing => "state_token_missing",
            Self::CodeMissing => "code_missing",
            Self::WrongCode => "wrong_code",
            Self::Replay => "replay",
            Self::Denied => "denied",
            Self::NotTyped => "not_typed",
        }
    }
}

/// How an answer ends. A wrong code is an outcome, never an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The person holds the factor.
    Accepted {
        /// With which device; `None` for a temporary token.
        device: Option<DeviceId>,
        /// The verification that this closed, where there was one.
        wire_id: Option<String>,
    },
    /// Waiting for the person.
    Pending(FactorKind),
    /// No.
    Refused(Reason),
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
        assert_eq!(Status::from_numbers(1, None), None, "accepted, but nobody knows when");
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_number(purpose.number()), Some(purpose));
        }
    }
}
