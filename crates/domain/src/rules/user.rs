//! Creating, changing, locking and removing users.

use crate::model::audit::{Actor, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::client::Right;
use crate::model::device::{Device, DeviceStatus};
use crate::model::id::{DeviceId, UserId};
use crate::model::time::{MINUTE, Timestamp};
use crate::model::user::{APPROVED, MAX_CUSTOM_ATTRIBUTES, Profile, User, UserLock, UserStatus};
use crate::model::user_patch::UserPatch;
use crate::rules::verification::end::{Besides, end_trust};
use crate::rules::{invitation, throttle};

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
    /// Whether the mail address or the number that there was is another one in `after`, or gone.
    pub(crate) fn is_reached_otherwise(&self, after: &Self) -> bool {
        let replaced = |before: &Option<String>, after: &Option<String>| before.is_some() && before != after;
        replaced(&self.email, &after.email) || replaced(&self.phone, &after.phone)
    }

    /// What the user loses by becoming `after`: what stood on a password ends with the password, and what stood on how the
    /// user is reached, or on the rule that was in force, with that.
    fn loses(&self, after: &Self, patch: &UserPatch, now: Timestamp) -> Loss {
        if after.is_barred(now) && !self.is_barred(now) {
            Loss::Access
        } else if patch.password_hash.is_some() || self.may_log_in(now) && !after.may_log_in(now) {
            Loss::LogIns
        } else if self.is_reached_otherwise(after) || self.profile.mfa_policy != after.profile.mfa_policy {
            Loss::Trust
        } else {
            Loss::Nothing
        }
    }
}

/// Creates a user with a drawn id.
pub fn create(id: UserId, patch: &UserPatch, context: &Actor, now: Timestamp) -> Decision<User> {
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
    visits: impl FnOnce(&[crate::model::visit::Remembered]) -> Option<Vec<crate::model::visit::Remembered>>,
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
pub fn update(view: &View, patch: &UserPatch, context: &Actor, now: Timestamp) -> Decision<Updated> {
    let Some(before) = &view.user else { return Decision::reply(Updated::NoUser) };
    let mut user = before.clone();
    let from = user.login_names();
    patch.apply(&mut user, now);
    let to = user.login_names();
    if user.profile.custom_attributes.len() > MAX_CUSTOM_ATTRIBUTES {
        return Decision::reply(Updated::TooManyAttributes);
    }
    let kind = if patch.password_hash.is_some() { AuditKind::PasswordSet } else { AuditKind::UserUpdated };
    let decision =
        Decision::reply(Updated::Updated(Box::new(user.clone()))).with(context.event(kind, user.id, now).into());
    // An invitation may be at an address that is no longer the user's.
    let withdrawn = before.is_reached_otherwise(&user).then(|| invitation::withdraw(view, now));
    let decision = decision.with_all(withdrawn.into_iter().flatten());
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
pub fn delete(view: &View, context: &Actor, now: Timestamp) -> Decision<bool> {
    let Some(user) = &view.user else { return Decision::reply(false) };
    Decision::reply(true)
        .with(Change::DeleteUser { user: user.id, names: user.login_names() })
        .with(context.event(AuditKind::UserDeleted, user.id, now).into())
}

/// Locks a user for some minutes; 0 locks until unlocked (contract 3.2). Says whether there is such a user.
pub fn lock(view: &View, minutes: i64, context: &Actor, now: Timestamp) -> Decision<bool> {
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
/// guesses (decision 10). Devices that an operator has disabled come back by an operator's word only: a client's unlocking is
/// about locks, and the client need not know that a phone was stolen. `newest` is, for each device
/// that counts by time, the newest step that can have been used by now: a later one was spent while a clock
/// was wrong, and would keep its device from use until that time comes (SEC 75).
pub fn unlock(view: &View, newest: &[(DeviceId, i64)], context: &Actor, now: Timestamp) -> Decision<Unlocked> {
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
    let returns = disabled.clone().next().is_some();
    let trust = returns.then(|| end_trust(view, Besides::Nothing, now));
    // The user has a device again, so none is added by the link for one who has none.
    let overtaken = returns.then(|| invitation::overtaken(view, now));
    decision
        .with_all(trust.into_iter().flatten())
        .with_all(overtaken.into_iter().flatten())
        .with_all(guesses.map(|t| Change::ClearThrottle(user.id, t.key)))
        .with_all(disabled.map(|d| Change::EnableDevice(d.id)))
        .with_all(ahead)
        .with(context.event(AuditKind::UserUnlocked, user.id, now).into())
}

/// Ends the user's sessions, pending state tokens and open verifications. A caller that may only log people in and out
/// leaves alone what others have begun besides sessions: their log-ins under way, challenges and registrations (SEC 95).
/// Says whether there is such a user.
pub fn log_out(view: &View, context: &Actor, now: Timestamp) -> Decision<bool> {
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
    use crate::model::user::ShownStatus;

    fn user(status: UserStatus, lock: Option<UserLock>) -> User {
        let mut user = create(UserId(1), &UserPatch::default(), &Actor::default(), Timestamp(0)).reply;
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
        let run = |view: &View, patch: UserPatch| match update(view, &patch, &Actor::default(), Timestamp(5)).reply {
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
            let reply = update(&view, &patch, &Actor::default(), Timestamp(5)).reply;
            assert!(matches!(reply, Updated::Updated(user) if user.status == after));
        }
    }
}
