//! A person, as far as decisions care, and the profile around it (rulings 10).

use serde::{Deserialize, Serialize};

use crate::audit::AuditKind;
use crate::client::Right;
use crate::decision::{Change, Decision, View};
use crate::device::{Device, DeviceStatus};
use crate::id::{DeviceId, UserId};
use crate::name::{LoginNames, is_login_name, spelling, trimmed};
use crate::temp_token::TempToken;
use crate::text;
use crate::throttle;
use crate::time::{MINUTE, Timestamp};
use crate::verification::{Besides, Context, end_trust};

/// What a user is by the will of administrators and policy. A lock is none of these: it is kept beside the status and overwrites
/// none, so that its end leaves the user as it found them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub enum UserStatus {
    /// 0.
    Unactivated,
    /// 1.
    Active,
    /// 2.
    Suspended,
    /// 4.
    PasswordExpired,
    /// 5.
    AwaitingPasswordReset,
    /// 7: created without a password.
    PasswordPending,
    /// 8.
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

/// A person. What the guess limits know about them lives in [`crate::Throttle`], never here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// As it was given, without white space around it. Its key is nobody else's ([`crate::name::key`]).
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
    pub mfa_policy: Option<crate::MfaPolicy>,
    /// From where and with what the user has signed in through Smart MFA (contract 8).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<crate::risk::Remembered>,
}

impl User {
    /// Whether an administrator or policy keeps this user out at `now`. Guess locks are judged elsewhere.
    pub fn is_barred(&self, now: Timestamp) -> bool {
        self.status == UserStatus::Suspended || self.is_locked(now)
    }

    /// When the bar of a user who is barred at `now` is over by itself; `None` if only somebody can lift it.
    pub fn barred_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.shown(now).1
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
    fn put_lock(&mut self, lock: UserLock) {
        if self.status != UserStatus::Suspended {
            self.lock = Some(lock);
        }
    }
}

impl Profile {
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

/// What ends with a change of a user, in the same transaction (SEC 56).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Nothing,
    /// What a factor has opened for later ([`end_trust`]).
    Trust,
    /// These, and log-ins under way.
    LogIns,
    /// Everything, the temporary token too.
    Access,
}

impl User {
    /// What the user loses by becoming `after`: what stood on a password ends with the password, and what stood on how the
    /// user is reached, or on the rule that was in force, with that.
    fn loses(&self, after: &Self, patch: &UserPatch, now: Timestamp) -> Loss {
        let replaced = |before: &Option<String>, after: &Option<String>| before.is_some() && before != after;
        if after.is_barred(now) && !self.is_barred(now) {
            Loss::Access
        } else if patch.password_hash.is_some() || self.may_log_in(now) && !after.may_log_in(now) {
            Loss::LogIns
        } else if replaced(&self.email, &after.email)
            || replaced(&self.phone, &after.phone)
            || self.profile.mfa_policy != after.profile.mfa_policy
        {
            Loss::Trust
        } else {
            Loss::Nothing
        }
    }
}

/// Most custom attributes of a user (SEC 36): they are read with every view.
pub const MAX_CUSTOM_ATTRIBUTES: usize = 100;

/// The profile text that holds a user's id in another system.
pub const EXTERNAL_ID: &str = "external_id";

/// Fields to set on a user; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// Sets or clears the name to log in with.
    pub username: Option<Option<String>>,
    /// Sets or clears the mail address.
    pub email: Option<Option<String>>,
    /// Sets or clears the telephone number.
    pub phone: Option<Option<String>>,
    /// Sets the status and lifts a lock, or puts a lock without end beside the status. What bars the user ends their open
    /// verifications (SEC 56).
    pub status: Option<ShownStatus>,
    /// Sets the approval state.
    pub state: Option<i64>,
    /// Sets (or clears, with `None`) profile texts by name.
    pub texts: Vec<(String, Option<String>)>,
    /// Sets (or clears) profile integers by name.
    pub integers: Vec<(String, Option<i64>)>,
    /// Sets custom attributes; others stay. Null is a value like any other (contract 3.1).
    pub custom_attributes: Vec<(String, Option<String>)>,
    /// Sets the password, already hashed.
    pub password_hash: Option<String>,
    /// Sets the user's own rule on factors at a log-in, or clears it.
    pub mfa_policy: Option<Option<crate::MfaPolicy>>,
}

impl UserPatch {
    /// Names as they are kept: without white space around them, and absent if nothing is left; a number in its canonical
    /// form, an id of another system in one spelling. The error is the field that cannot be kept (SEC 34, SEC 36).
    pub fn tidied(mut self) -> Result<Self, &'static str> {
        tidy(&mut self.username, is_login_name).ok_or("username")?;
        tidy(&mut self.email, text::is_email).ok_or("email")?;
        if let Some(phone) = self.phone.take() {
            let written = phone.as_deref().and_then(trimmed);
            self.phone = Some(written.map(|written| text::phone(written).ok_or("phone")).transpose()?);
        }
        for (_, value) in self.texts.iter_mut().filter(|(name, _)| name == EXTERNAL_ID) {
            *value = value.as_deref().map(spelling).filter(|id| !id.is_empty());
        }
        Ok(self)
    }

    /// Whether a new user made so could be found again: by a username or a mail address that is more than white space.
    pub fn names_somebody(&self) -> bool {
        [&self.username, &self.email].into_iter().flatten().flatten().any(|name| trimmed(name).is_some())
    }

    /// The patch without what `present` has already. Clients send a whole user back as they read it, and rows of
    /// earlier versions may hold what would be refused today.
    #[must_use]
    pub fn beyond(mut self, present: &User) -> Self {
        let is_there = |old: &Option<String>, new: &Option<Option<String>>| {
            let seen = |text: &Option<String>| text.as_deref().and_then(trimmed).map(str::to_owned);
            old.is_some() && new.as_ref().is_some_and(|new| seen(new) == seen(old))
        };
        for (old, new) in [
            (&present.username, &mut self.username),
            (&present.email, &mut self.email),
            (&present.phone, &mut self.phone),
        ] {
            if is_there(old, new) {
                *new = None;
            }
        }
        self
    }

    fn apply(&self, user: &mut User, now: Timestamp) {
        fn set<T: Clone>(target: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                target.clone_from(value);
            }
        }
        fn put<T: Clone>(map: &mut std::collections::BTreeMap<String, T>, values: &[(String, Option<T>)]) {
            for (name, value) in values {
                match value {
                    Some(value) => map.insert(name.clone(), value.clone()),
                    None => map.remove(name),
                };
            }
        }
        set(&mut user.username, self.username.as_ref());
        set(&mut user.email, self.email.as_ref());
        set(&mut user.phone, self.phone.as_ref());
        set(&mut user.profile.state, self.state.as_ref());
        set(&mut user.profile.mfa_policy, self.mfa_policy.as_ref());
        put(&mut user.profile.texts, &self.texts);
        put(&mut user.profile.integers, &self.integers);
        user.profile.custom_attributes.extend(self.custom_attributes.iter().cloned());
        if self.password_hash.is_some() {
            user.profile.password_hash.clone_from(&self.password_hash);
            user.profile.password_changed_at = Some(now);
            if user.status == UserStatus::PasswordPending {
                user.status = UserStatus::Active;
            }
        }
        match self.status {
            Some(ShownStatus::Is(status)) => (user.status, user.lock) = (status, None),
            Some(ShownStatus::Locked) => user.put_lock(UserLock::UntilLifted),
            None => {}
        }
        if user.status == UserStatus::Active {
            user.profile.activated_at = user.profile.activated_at.or(Some(now));
        }
        user.updated_at = now;
    }
}

/// Trims a text to set. `None` if what is left may not be kept.
#[expect(clippy::option_option, reason = "the shape of a patch: left, cleared, set")]
fn tidy(field: &mut Option<Option<String>>, may_be_kept: impl Fn(&str) -> bool) -> Option<()> {
    if let Some(text) = field.as_ref().and_then(Option::as_deref) {
        let left = trimmed(text).map(str::to_owned);
        if left.as_deref().is_some_and(|left| !may_be_kept(left)) {
            return None;
        }
        *field = Some(left);
    }
    Some(())
}

/// Creates a user with a drawn id.
pub fn create(id: UserId, patch: &UserPatch, context: &Context, now: Timestamp) -> Decision<User> {
    let mut user = User {
        id,
        username: None,
        email: None,
        phone: None,
        status: UserStatus::PasswordPending,
        lock: None,
        temp_token: None,
        profile: Profile { state: APPROVED, ..Profile::default() },
        created_at: now,
        updated_at: now,
    };
    patch.apply(&mut user, now);
    Decision::reply(user.clone())
        .with(Change::CreateUser(user))
        .with(context.event(AuditKind::UserCreated, id, now).into())
}

/// Replaces what is remembered of the user's visits. Says whether there is such a user.
pub fn remember_visits(
    view: &View,
    visits: impl FnOnce(&[crate::risk::Remembered]) -> Option<Vec<crate::risk::Remembered>>,
) -> Decision<bool> {
    let Some(mut user) = view.user.clone() else { return Decision::reply(false) };
    let Some(visits) = visits(&user.profile.visits) else { return Decision::reply(true) };
    user.profile.visits = visits;
    Decision::reply(true).with(Change::UpdateUser(user))
}

/// How a change of a user ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Updated {
    /// As the user is now.
    Updated(Box<User>),
    /// No such user.
    NoUser,
    /// More custom attributes than a user may have.
    TooManyAttributes,
}

/// Sets fields of a user.
pub fn update(view: &View, patch: &UserPatch, context: &Context, now: Timestamp) -> Decision<Updated> {
    let Some(before) = &view.user else { return Decision::reply(Updated::NoUser) };
    let mut user = before.clone();
    let from = LoginNames::of(&user);
    patch.apply(&mut user, now);
    let to = LoginNames::of(&user);
    if user.profile.custom_attributes.len() > MAX_CUSTOM_ATTRIBUTES {
        return Decision::reply(Updated::TooManyAttributes);
    }
    let kind = if patch.password_hash.is_some() { AuditKind::PasswordSet } else { AuditKind::UserUpdated };
    let decision =
        Decision::reply(Updated::Updated(Box::new(user.clone()))).with(context.event(kind, user.id, now).into());
    let decision = match before.loses(&user, patch, now) {
        Loss::Nothing => decision,
        Loss::Trust => decision.with_all(end_trust(view, Besides::Nothing, now)),
        Loss::LogIns => decision.with_all(end_trust(view, Besides::LogIns, now)),
        Loss::Access => decision.with_all(end_access(view, user.id, now)),
    };
    let renamed = (from != to).then(|| Change::RenameUser { user: user.id, from, to });
    let decision = renamed.into_iter().fold(decision, Decision::with_first);
    decision.with_first(Change::UpdateUser(user))
}

/// Removes a user and all that hangs on it. Says whether there was one.
pub fn delete(view: &View, context: &Context, now: Timestamp) -> Decision<bool> {
    let Some(user) = &view.user else { return Decision::reply(false) };
    Decision::reply(true)
        .with(Change::DeleteUser { user: user.id, names: LoginNames::of(user) })
        .with(context.event(AuditKind::UserDeleted, user.id, now).into())
}

/// Locks a user for some minutes; 0 locks until unlocked (contract 3.2). Says whether there is such a user.
pub fn lock(view: &View, minutes: i64, context: &Context, now: Timestamp) -> Decision<bool> {
    let Some(mut user) = view.user.clone() else { return Decision::reply(false) };
    user.put_lock(match minutes {
        1.. => UserLock::Until(now.plus(minutes.saturating_mul(MINUTE))),
        _ => UserLock::UntilLifted,
    });
    user.updated_at = now;
    Decision::reply(true)
        .with_all(end_access(view, user.id, now))
        .with(context.event(AuditKind::UserLocked, user.id, now).into())
        .with_first(Change::UpdateUser(user))
}

/// How an unlocking ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlocked {
    /// Locks were lifted.
    Unlocked,
    /// There was nothing to lift.
    NotLocked,
    /// No such user.
    NoUser,
}

/// Lifts an administrator's lock, which leaves the user as it found them, every guess lock, and the disabling of devices by
/// guesses (rulings 10). Devices that an operator has disabled come back by an operator's word only: a client's unlocking is
/// about locks, and the client need not know that a phone was stolen. `newest` is, for each device
/// that counts by time, the newest step that can have been used by now: one that lies ahead of it was spent while a clock
/// was wrong, and would keep its device from use until that time comes (SEC 75).
pub fn unlock(view: &View, newest: &[(DeviceId, i64)], context: &Context, now: Timestamp) -> Decision<Unlocked> {
    let Some(user) = &view.user else { return Decision::reply(Unlocked::NoUser) };
    let guess_locked = view.throttles.iter().any(|t| t.locked(now).is_some());
    let is_operator = context.client.is_none();
    let released =
        |d: &&Device| d.status == DeviceStatus::Disabled && (is_operator || throttle::is_disabled_by_guesses(view, d));
    let disabled = view.devices.iter().filter(released);
    let ahead: Vec<Change> = newest
        .iter()
        .filter(|(id, newest)| view.device(*id).is_some_and(|device| device.last_counter > *newest))
        .map(|(device, newest)| Change::LowerCounter { device: *device, counter: *newest })
        .collect();
    if user.lock.is_none() && !guess_locked && disabled.clone().next().is_none() && ahead.is_empty() {
        return Decision::reply(Unlocked::NotLocked);
    }
    let mut decision = Decision::reply(Unlocked::Unlocked);
    if user.lock.is_some() {
        let user = User { lock: None, updated_at: now, ..user.clone() };
        decision = decision.with(Change::UpdateUser(user));
    }
    let guesses = view.throttles.iter().filter(|t| !t.key.is_of_messages());
    // A device that comes back into use may be in other hands than before.
    let trust = disabled.clone().next().is_some().then(|| end_trust(view, Besides::Nothing, now));
    decision
        .with_all(trust.into_iter().flatten())
        .with_all(guesses.map(|t| Change::ClearThrottle(user.id, t.key)))
        .with_all(disabled.map(|d| Change::EnableDevice(d.id)))
        .with_all(ahead)
        .with(context.event(AuditKind::UserUnlocked, user.id, now).into())
}

/// Ends the user's sessions, pending state tokens and open verifications. A caller that may only log people in and out
/// leaves alone what others have begun besides sessions: their log-ins under way, challenges and registrations (SEC 95).
/// Says whether there is such a user.
pub fn log_out(view: &View, context: &Context, now: Timestamp) -> Decision<bool> {
    let Some(user) = &view.user else { return Decision::reply(false) };
    let besides = match context.right {
        Right::Manage => Besides::Everything,
        Right::LogIn | Right::Look => Besides::OfClient(context.client),
    };
    Decision::reply(true)
        .with_all(end_trust(view, besides, now))
        .with(context.event(AuditKind::UserLoggedOut, user.id, now).into())
}

/// What ends when a user is barred: open verifications, queued messages, the temporary token (SEC 56).
fn end_access(view: &View, user: UserId, now: Timestamp) -> Vec<Change> {
    end_trust(view, Besides::Everything, now).chain([Change::SetTempToken(user, None)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(status: UserStatus, lock: Option<UserLock>) -> User {
        let mut user = create(UserId(1), &UserPatch::default(), &Context::default(), Timestamp(0)).reply;
        user.status = status;
        user.lock = lock;
        user
    }

    #[test]
    fn a_lock_holds_until_its_end_and_without_one_until_lifted() {
        let end = Some(UserLock::Until(Timestamp(10)));
        for status in UserStatus::ALL {
            let suspended = status == UserStatus::Suspended;
            assert!(user(status, end).is_barred(Timestamp(9)), "{status:?}");
            assert_eq!(user(status, end).is_barred(Timestamp(10)), suspended, "{status:?}");
            assert!(user(status, Some(UserLock::UntilLifted)).is_barred(Timestamp(i64::MAX)), "{status:?}");
            assert_eq!(user(status, None).is_barred(Timestamp(0)), suspended, "{status:?}");
            assert_eq!(ShownStatus::from_number(status.number()), Some(status.into()));
        }
        assert_eq!(ShownStatus::from_number(3), Some(ShownStatus::Locked));
        assert_eq!(UserStatus::from_number(3), None, "a lock is no status");
    }

    #[test]
    fn whom_an_earlier_version_has_locked_was_active_only_if_ever_active() {
        let profile = |password: bool, activated: bool| Profile {
            password_hash: password.then(|| "$argon2id$".to_owned()),
            activated_at: activated.then_some(Timestamp(1)),
            ..Profile::default()
        };
        assert_eq!(profile(true, true).status_before_lock(), UserStatus::Active);
        assert_eq!(profile(true, false).status_before_lock(), UserStatus::Unactivated);
        assert_eq!(profile(false, true).status_before_lock(), UserStatus::PasswordPending);
    }

    #[test]
    fn custom_attributes_have_a_limit() {
        let set = |from: usize, to: usize, value: Option<&str>| UserPatch {
            custom_attributes: (from..to).map(|n| (format!("k{n}"), value.map(str::to_owned))).collect(),
            ..UserPatch::default()
        };
        let given = |user| View { user: Some(user), ..View::default() };
        let run = |view: &View, patch: UserPatch| match update(view, &patch, &Context::default(), Timestamp(5)).reply {
            Updated::Updated(user) => Some(*user),
            Updated::NoUser | Updated::TooManyAttributes => None,
        };
        let full = run(&given(user(UserStatus::Active, None)), set(0, MAX_CUSTOM_ATTRIBUTES, Some("v"))).unwrap();
        assert!(run(&given(full.clone()), set(500, 501, Some("v"))).is_none());
        assert!(run(&given(full), set(0, 1, None)).is_some(), "those there can be set");
    }

    #[test]
    fn a_first_password_activates_and_later_ones_change_no_status() {
        let patch = UserPatch { password_hash: Some("$argon2id$".to_owned()), ..UserPatch::default() };
        for (before, after) in
            [(UserStatus::PasswordPending, UserStatus::Active), (UserStatus::Suspended, UserStatus::Suspended)]
        {
            let view = View { user: Some(user(before, None)), ..View::default() };
            let reply = update(&view, &patch, &Context::default(), Timestamp(5)).reply;
            assert!(matches!(reply, Updated::Updated(user) if user.status == after));
        }
    }
}
