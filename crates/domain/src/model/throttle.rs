//! What a limit remembers of wrong answers and of messages.
//!
//! A limit remembers moments, not windows, so a limit of N in an hour is N in *any* hour.

use crate::model::digest::Digest;
use crate::model::factor::FactorKind;
use crate::model::id::DeviceId;
use crate::model::time::{DAY, HOUR, MINUTE, Timestamp};

/// How long a user over budget is locked, in milliseconds.
pub const USER_LOCK: i64 = HOUR;
/// Wrong temporary tokens in any day.
pub const TEMP_TOKEN_PER_DAY: usize = 10;
/// The time over which wrong passwords count together, and for which they are held off, in milliseconds.
pub const PASSWORD_WINDOW: i64 = 15 * MINUTE;

/// How long no prompt is put after the person has said that somebody else is signing in, in milliseconds (SEC 12).
pub const REPORT_PAUSE: i64 = 15 * MINUTE;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThrottleKey {
    /// Wrong answers with one device.
    Device(DeviceId),
    /// Wrong answers of the user over all factors and doors.
    User,
    /// Wrong temporary tokens of the user.
    TempToken,
    Password,
    /// Messages sent for one factor of the user. Not per device id, or deleting and enrolling again would reset it.
    Send(FactorKind),
    /// Prompts put since the last that was accepted.
    Prompts,
    /// Warnings of the person that prompts are refused.
    Warnings,
    /// Those of [`ThrottleKey::Send`] that callers asked for that may only look.
    SendOfReaders(FactorKind),
    /// Those of [`ThrottleKey::Prompts`] that such callers put.
    PromptsOfReaders,
}

impl ThrottleKey {
    /// The stored pair: kind and subject.
    pub fn numbers(self) -> (i64, i64) {
        match self {
            Self::Device(id) => (1, id.0),
            Self::User => (2, 0),
            Self::TempToken => (3, 0),
            Self::Send(kind) => (4, kind.number()),
            Self::Password => (5, 0),
            Self::Prompts => (6, 0),
            Self::Warnings => (7, 0),
            Self::SendOfReaders(kind) => (8, kind.number()),
            Self::PromptsOfReaders => (9, 0),
        }
    }

    /// Whether it counts what people are sent, and no wrong answers.
    pub(crate) fn is_of_messages(self) -> bool {
        match self {
            Self::Send(_) | Self::SendOfReaders(_) | Self::Prompts | Self::PromptsOfReaders | Self::Warnings => true,
            Self::Device(_) | Self::User | Self::TempToken | Self::Password => false,
        }
    }

    /// The key with these numbers.
    pub fn from_numbers(kind: i64, subject: i64) -> Option<Self> {
        match kind {
            1 => Some(Self::Device(DeviceId(subject))),
            2 => Some(Self::User),
            3 => Some(Self::TempToken),
            4 => FactorKind::from_number(subject).map(Self::Send),
            5 => Some(Self::Password),
            6 => Some(Self::Prompts),
            7 => Some(Self::Warnings),
            8 => FactorKind::from_number(subject).map(Self::SendOfReaders),
            9 => Some(Self::PromptsOfReaders),
            _ => None,
        }
    }
}

/// What one limit remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    pub key: ThrottleKey,
    /// Wrong answers since the last right one.
    pub consecutive: u32,
    /// Recent moments (wrong answers or sends) as they were counted, no older than a day.
    pub recent: Vec<Timestamp>,
    /// Nothing is evaluated before this moment.
    pub locked_until: Option<Timestamp>,
    /// The last wrong answer, recognisable only by us.
    pub last_wrong: Option<(Digest, Timestamp)>,
}

impl Throttle {
    /// A blank slate.
    pub fn new(key: ThrottleKey) -> Self {
        Self { key, consecutive: 0, recent: Vec::new(), locked_until: None, last_wrong: None }
    }

    /// The end of the lock, if one is in force. A clock that was set back makes none longer than it was meant to be.
    pub fn locked(&self, now: Timestamp) -> Option<Timestamp> {
        self.locked_until.filter(|until| now < *until).map(|until| until.min(now.plus(self.lock())))
    }

    /// How long the longest lock is that this can be under, in milliseconds.
    pub(crate) fn lock(&self) -> i64 {
        match self.key {
            ThrottleKey::Device(_) => device_lock(self.consecutive - self.consecutive % 5).unwrap_or(HOUR),
            ThrottleKey::User => USER_LOCK,
            ThrottleKey::TempToken if self.recent.len() < TEMP_TOKEN_PER_DAY => HOUR,
            ThrottleKey::Password => PASSWORD_WINDOW,
            ThrottleKey::Prompts => REPORT_PAUSE,
            ThrottleKey::TempToken
            | ThrottleKey::Send(_)
            | ThrottleKey::SendOfReaders(_)
            | ThrottleKey::PromptsOfReaders
            | ThrottleKey::Warnings => DAY,
        }
    }

    /// How many of its moments lie within this time.
    pub(crate) fn within(&self, window: i64, now: Timestamp) -> usize {
        self.recent.iter().filter(|at| now.since(**at) < window).count()
    }

    /// Until when `most` messages in any `window` are reached, if they are.
    pub(crate) fn full(&self, most: usize, window: i64, now: Timestamp) -> Option<Timestamp> {
        let mut crowd: Vec<_> = self.recent.iter().copied().filter(|at| now.is_within(window, *at)).collect();
        // A clock that was set back leaves them out of order.
        crowd.sort_unstable();
        (most > 0 && crowd.len() >= most).then(|| crowd[crowd.len() - most].plus(window))
    }

    /// Remembers a wrong answer. One with a time in the future stays remembered: a guess is never free.
    pub(crate) fn push(&mut self, now: Timestamp) {
        self.recent.retain(|at| now.since(*at) < DAY);
        self.recent.push(now);
    }

    /// Remembers a message for so long.
    pub(crate) fn push_sent(&mut self, keep: i64, now: Timestamp) {
        self.recent.retain(|at| now.is_within(keep, *at));
        self.recent.push(now);
    }
}

/// The lock a device is put under after `consecutive` wrong answers, in milliseconds (SEC 21).
pub(crate) fn device_lock(consecutive: u32) -> Option<i64> {
    match consecutive {
        5 => Some(MINUTE),
        10 => Some(5 * MINUTE),
        15 => Some(15 * MINUTE),
        n if n >= 20 && n % 5 == 0 => Some(HOUR),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_again_by_its_numbers() {
        let sends =
            FactorKind::ALL.into_iter().flat_map(|kind| [ThrottleKey::Send(kind), ThrottleKey::SendOfReaders(kind)]);
        let others = [
            ThrottleKey::Device(DeviceId(7)),
            ThrottleKey::User,
            ThrottleKey::TempToken,
            ThrottleKey::Password,
            ThrottleKey::Prompts,
            ThrottleKey::Warnings,
            ThrottleKey::PromptsOfReaders,
        ];
        for key in others.into_iter().chain(sends) {
            let (kind, subject) = key.numbers();
            assert_eq!(ThrottleKey::from_numbers(kind, subject), Some(key));
        }
        assert_eq!(ThrottleKey::from_numbers(10, 0), None);
    }

    /// SEC 25: a limit of N in an hour is N in any hour.
    #[test]
    fn a_limit_remembers_moments_and_not_windows() {
        let mut throttle = Throttle::new(ThrottleKey::User);
        for minute in [0, 59, 60, 61] {
            throttle.push(Timestamp(minute * MINUTE));
        }
        assert_eq!(throttle.within(HOUR, Timestamp(61 * MINUTE)), 3);
        assert_eq!(throttle.within(DAY, Timestamp(61 * MINUTE)), 4);
        throttle.push(Timestamp(DAY + 59 * MINUTE));
        assert_eq!(throttle.recent.len(), 3, "what is older than a day is of no more use");
    }

    #[test]
    fn a_lock_is_over_at_its_end() {
        let throttle = Throttle { locked_until: Some(Timestamp(5)), ..Throttle::new(ThrottleKey::User) };
        assert_eq!(throttle.locked(Timestamp(4)), Some(Timestamp(5)));
        assert_eq!(throttle.locked(Timestamp(5)), None);
    }
}
