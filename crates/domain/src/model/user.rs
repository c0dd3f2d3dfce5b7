//! A person, as far as decisions care, and the profile around it (decision 10).

use serde::{Deserialize, Serialize};

use crate::model::id::UserId;
use crate::model::name::LoginNames;
use crate::model::temp_token::TempToken;
use crate::model::time::Timestamp;

/// What a user is by the will of administrators and policy. A lock is none of these: it is kept beside the status and overwrites
/// none, so that its end leaves the user as it found them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub enum UserStatus {
    Unactivated,
    Active,
    Suspended,
    PasswordExpired,
    AwaitingPasswordReset,
    /// 7: created without a password.
    PasswordPending,
    SecurityQuestionsRequired,
}

impl UserStatus {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unactivated,
        Self::Active,
        Self::Suspended,
        Self::PasswordExpired,
        Self::AwaitingPasswordReset,
        Self::PasswordPending,
        Self::SecurityQuestionsRequired,
    ];

    /// The wire's number.
    pub fn number(self) -> i64 {
        match self {
            Self::Unactivated => 0,
            Self::Active => 1,
            Self::Suspended => 2,
            Self::PasswordExpired => 4,
            Self::AwaitingPasswordReset => 5,
            Self::PasswordPending => 7,
            Self::SecurityQuestionsRequired => 8,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.number() == number)
    }
}

impl From<UserStatus> for i64 {
    fn from(status: UserStatus) -> Self {
        status.number()
    }
}

impl TryFrom<i64> for UserStatus {
    type Error = &'static str;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        Self::from_number(number).ok_or("not a user status")
    }
}

/// A lock by an administrator, beside the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserLock {
    /// It is over at this moment.
    Until(Timestamp),
    /// It holds until somebody lifts it.
    UntilLifted,
}

impl UserLock {
    /// The moment at which it is over; `None` if somebody must lift it.
    pub fn end(self) -> Option<Timestamp> {
        match self {
            Self::Until(end) => Some(end),
            Self::UntilLifted => None,
        }
    }

    /// Whether it holds at `now`.
    pub fn holds(self, now: Timestamp) -> bool {
        self.end().is_none_or(|end| now < end)
    }
}

/// The status as clients and people see and set it: the user's own, or locked while a lock holds (contract 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownStatus {
    /// What the user is.
    Is(UserStatus),
    /// Locked by an administrator.
    Locked,
}

impl ShownStatus {
    /// The number of a locked user, on the wire and in the database.
    pub const LOCKED: i64 = 3;

    /// The wire's number.
    pub fn number(self) -> i64 {
        match self {
            Self::Is(status) => status.number(),
            Self::Locked => Self::LOCKED,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        if number == Self::LOCKED { Some(Self::Locked) } else { UserStatus::from_number(number).map(Self::Is) }
    }
}

impl From<UserStatus> for ShownStatus {
    fn from(status: UserStatus) -> Self {
        Self::Is(status)
    }
}

/// A person. What the guess limits know about them lives in [`crate::model::throttle::Throttle`], never here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// As it was given, without white space around it. Its key is unique ([`crate::model::name::key`]).
    pub username: Option<String>,
    /// As it was given; in one namespace with the user names.
    pub email: Option<String>,
    /// In canonical form; of a user of an earlier version, as it was given.
    pub phone: Option<String>,
    /// Set by administrators and policy; no lock ever touches it.
    pub status: UserStatus,
    /// An administrator's lock. One that is over may stand here still.
    pub lock: Option<UserLock>,
    /// The temporary token, if one was issued.
    pub temp_token: Option<TempToken>,
    /// Everything else of contract 3.1.
    pub profile: Profile,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When anything about the user was last set.
    pub updated_at: Timestamp,
}

/// What decisions never read. Stored as one JSON text beside the user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The wire's other text fields by their name in contract 3.1 (`firstname`, `company`, …).
    pub texts: std::collections::BTreeMap<String, String>,
    /// The wire's other integer fields (`group_id`, `directory_id`, …).
    pub integers: std::collections::BTreeMap<String, i64>,
    /// The administrator's own fields; texts or null.
    pub custom_attributes: std::collections::BTreeMap<String, Option<String>>,
    /// Approval state 0–3; only [`APPROVED`] users log in.
    pub state: i64,
    /// Argon2id in PHC form.
    pub password_hash: Option<String>,
    /// When the password was last set.
    pub password_changed_at: Option<Timestamp>,
    /// When the user first became active.
    pub activated_at: Option<Timestamp>,
    /// When the user last logged in.
    pub last_login: Option<Timestamp>,
    /// Whether a log-in asks this user for a factor, where it is not as for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_policy: Option<crate::model::policy::MfaPolicy>,
    /// From where and with what the user has signed in through Smart MFA (contract 8).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<crate::model::visit::Remembered>,
}

impl User {
    /// What this account is called where a person reads it: the address, else the name, else the id.
    pub fn account_name(&self) -> String {
        self.email.clone().or_else(|| self.username.clone()).unwrap_or_else(|| self.id.to_string())
    }

    /// Whether an administrator or policy keeps this user out at `now`. Guess locks are judged elsewhere.
    pub fn is_barred(&self, now: Timestamp) -> bool {
        self.status == UserStatus::Suspended || self.is_locked(now)
    }

    /// When the bar of a user who is barred at `now` is over by itself; `None` if only somebody can lift it.
    pub fn barred_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.shown(now).1
    }

    /// The names that this user logs in with.
    pub fn login_names(&self) -> LoginNames {
        LoginNames { username: self.username.clone(), email: self.email.clone() }
    }

    fn is_locked(&self, now: Timestamp) -> bool {
        self.lock.is_some_and(|lock| lock.holds(now))
    }

    /// The status that is shown at `now`, and the end of the lock that is shown. A suspension, which has no end, is shown
    /// over a lock.
    pub fn shown(&self, now: Timestamp) -> (ShownStatus, Option<Timestamp>) {
        if self.is_locked(now) && self.status != UserStatus::Suspended {
            (ShownStatus::Locked, self.lock.and_then(UserLock::end))
        } else {
            (ShownStatus::Is(self.status), None)
        }
    }

    /// Whether a password may let this user in at `now`: nothing keeps the user out, and the account is active and approved.
    pub fn may_log_in(&self, now: Timestamp) -> bool {
        self.status == UserStatus::Active && self.profile.state == APPROVED && !self.is_barred(now)
    }

    /// Puts a lock beside the status. A suspension has no end, and a lock adds nothing to it.
    pub(crate) fn put_lock(&mut self, lock: UserLock) {
        if self.status != UserStatus::Suspended {
            self.lock = Some(lock);
        }
    }
}

impl Profile {
    /// The person's language, as a code of which nothing is known: `de`, `de-AT`, or any other text.
    pub fn language(&self) -> Option<&str> {
        let named = |name: &str| self.texts.get(name).map(String::as_str).filter(|code| !code.is_empty());
        named("preferred_locale_code").or_else(|| named("locale_code"))
    }

    /// The status of a user locked by an earlier version, which did not keep it. The end of a lock makes only those active
    /// who were active before.
    pub fn status_before_lock(&self) -> UserStatus {
        match (&self.password_hash, self.activated_at) {
            (None, _) => UserStatus::PasswordPending,
            (Some(_), Some(_)) => UserStatus::Active,
            (Some(_), None) => UserStatus::Unactivated,
        }
    }
}

/// The approval state of users who may log in (contract 3.1). Others are unapproved, rejected or unlicensed.
pub const APPROVED: i64 = 1;

/// Most custom attributes of a user (SEC 36): they are read with every view.
pub const MAX_CUSTOM_ATTRIBUTES: usize = 100;

/// The profile text that holds a user's id in another system.
pub const EXTERNAL_ID: &str = "external_id";
