//! The state of a user for the help desk: locks, guesses and tokens, as decisions see them.
//!
//! The same functions read it, so a help desk never sees a lock that does not hold.

use crate::model::change::View;
use crate::model::device::DeviceStatus;
use crate::model::id::DeviceId;
use crate::model::session::{Session, SessionKind};
use crate::model::throttle::{PASSWORD_WINDOW, ThrottleKey};
use crate::model::time::{DAY, HOUR, Timestamp};
use crate::model::user::UserStatus;
use crate::rules::throttle::{USER_PER_DAY, USER_PER_HOUR};

/// Why somebody may be kept out, and until when, where that has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    pub why: LockReason,
    /// The end; `None` until somebody lifts it.
    pub until: Option<Timestamp>,
}

/// Why somebody is kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockReason {
    /// The status is 2.
    Suspended,
    /// The status is 3.
    LockedByAdministrator,
    /// Too many wrong answers over all factors and doors (SEC 23).
    Guesses,
    /// Too many wrong passwords (SEC 31).
    Passwords,
    /// Too many wrong temporary tokens (SEC 24).
    TempTokens,
    /// Too many wrong answers with this device (SEC 21).
    Device(DeviceId),
    /// The device is disabled.
    DeviceDisabled(DeviceId),
}

/// Locks, guesses and tokens of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Everything that is in the way of a log-in, the user's own first.
    pub locks: Vec<Lock>,
    /// Wrong answers that the hour still has room for before the user is locked.
    pub left_in_hour: usize,
    /// The same of the day.
    pub left_in_day: usize,
    /// Of each device that may be used or is disabled: wrong answers since the last right one.
    pub failures: Vec<(DeviceId, u32)>,
    /// Wrong passwords that count together still.
    pub wrong_passwords: usize,
    /// The end of a live temporary token, and whether it may be used more than once.
    pub temp_token: Option<(Timestamp, bool)>,
    /// Browsers in which a factor was shown and is remembered.
    pub remembered_browsers: usize,
}

/// The state of the user of a view; `None` if the user does not exist.
pub fn of(view: &View, now: Timestamp) -> Option<Standing> {
    let user = view.user.as_ref()?;
    let mut locks = Vec::new();
    if user.is_barred(now) {
        let (why, until) = match user.status {
            UserStatus::Suspended => (LockReason::Suspended, None),
            _ => (LockReason::LockedByAdministrator, user.barred_until(now)),
        };
        locks.push(Lock { why, until });
    }
    let mut locked = |key: ThrottleKey, why: LockReason| {
        if let Some(until) = view.throttle(key).locked(now) {
            locks.push(Lock { why, until: Some(until) });
        }
    };
    locked(ThrottleKey::User, LockReason::Guesses);
    locked(ThrottleKey::Password, LockReason::Passwords);
    locked(ThrottleKey::TempToken, LockReason::TempTokens);
    let known =
        || view.devices.iter().filter(|device| matches!(device.status, DeviceStatus::Active | DeviceStatus::Disabled));
    for device in known() {
        locked(ThrottleKey::Device(device.id), LockReason::Device(device.id));
    }
    for device in known().filter(|device| device.status == DeviceStatus::Disabled) {
        locks.push(Lock { why: LockReason::DeviceDisabled(device.id), until: None });
    }
    let guesses = view.throttle(ThrottleKey::User);
    let browser = |s: &&Session| s.kind == SessionKind::RememberedBrowser && s.is_open(now);
    Some(Standing {
        locks,
        left_in_hour: USER_PER_HOUR.saturating_sub(guesses.within(HOUR, now)),
        left_in_day: USER_PER_DAY.saturating_sub(guesses.within(DAY, now)),
        failures: known().map(|d| (d.id, view.throttle(ThrottleKey::Device(d.id)).consecutive)).collect(),
        wrong_passwords: view.throttle(ThrottleKey::Password).within(PASSWORD_WINDOW, now),
        temp_token: user.temp_token.as_ref().filter(|t| t.is_live(now)).map(|t| (t.expires_at, t.reusable)),
        remembered_browsers: view.sessions.iter().filter(browser).count(),
    })
}
