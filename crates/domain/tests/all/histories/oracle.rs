//! The oracle: its own books.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bar {
    Locked(Option<Timestamp>),
    Suspended,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Guesses {
    pub(crate) consecutive: u32,
    pub(crate) moments: Vec<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) last: Option<(Digest, Timestamp)>,
}

impl Guesses {
    pub(crate) fn is_locked(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    pub(crate) fn remember(&mut self, now: Timestamp) {
        self.moments.retain(|at| now.0 - at.0 < DAY);
        self.moments.push(now);
    }

    pub(crate) fn in_the_last(&self, window: i64, now: Timestamp) -> usize {
        self.moments.iter().filter(|at| now.0 - at.0 < window).count()
    }
}

pub(crate) fn locks<K: Ord>(guesses: &BTreeMap<K, Guesses>, key: &K, now: Timestamp) -> bool {
    guesses.get(key).is_some_and(|g| g.is_locked(now))
}

/// What a proof is known by: none may be seen twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Spent {
    Counter(DeviceId, i64),
    Challenge(VerificationId),
    Token([u8; 36]),
    Collected(VerificationId),
    LogIn(SessionId),
}

#[derive(Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) bars: BTreeMap<UserId, Bar>,
    pub(crate) devices: BTreeMap<DeviceId, Guesses>,
    pub(crate) users: BTreeMap<UserId, Guesses>,
    pub(crate) tokens: BTreeMap<UserId, Guesses>,
    pub(crate) disabled: BTreeSet<DeviceId>,
    pub(crate) proven: BTreeSet<DeviceId>,
    pub(crate) removed: BTreeSet<DeviceId>,
    pub(crate) counters: BTreeMap<DeviceId, i64>,
    pub(crate) spent: HashSet<Spent>,
    pub(crate) ended: HashMap<VerificationId, Status>,
    pub(crate) sends: HashMap<(UserId, FactorKind), Vec<Timestamp>>,
    pub(crate) sends_of_readers: HashMap<(UserId, FactorKind), Vec<Timestamp>>,
    pub(crate) attempts: HashMap<VerificationId, i64>,
    pub(crate) ended_sessions: HashMap<SessionId, SessionEnd>,
    pub(crate) log_in_attempts: HashMap<SessionId, i64>,
}

impl Oracle {
    pub(crate) fn is_barred(&self, user: UserId, now: Timestamp) -> bool {
        match self.bars.get(&user) {
            None => false,
            Some(Bar::Suspended | Bar::Locked(None)) => true,
            Some(Bar::Locked(Some(until))) => now < *until,
        }
    }

    pub(crate) fn is_locked(&self, user: UserId, device: Option<DeviceId>, now: Timestamp) -> bool {
        let subject = match device {
            Some(device) => self.disabled.contains(&device) || locks(&self.devices, &device, now),
            None => locks(&self.tokens, &user, now),
        };
        subject || self.is_barred(user, now) || locks(&self.users, &user, now)
    }

    pub(crate) fn is_doubled(&self, user: UserId, device: Option<DeviceId>, wrong: Digest, now: Timestamp) -> bool {
        let subject = device.map_or_else(|| self.tokens.get(&user), |device| self.devices.get(&device));
        subject.and_then(|g| g.last).is_some_and(|(last, at)| last == wrong && (now.0 - at.0).abs() < 10 * SECOND)
    }

    pub(crate) fn count(&mut self, user: UserId, device: Option<DeviceId>, wrong: Digest, reads: bool, now: Timestamp) {
        match device {
            Some(device) => {
                let guesses = self.devices.entry(device).or_default();
                let counts = !reads || guesses.consecutive < 25;
                guesses.consecutive += u32::from(counts);
                guesses.last = Some((wrong, now));
                let minutes = match guesses.consecutive {
                    _ if !counts => 60,
                    5 => 1,
                    10 => 5,
                    15 => 15,
                    20 | 25 | 30 | 35 | 40 | 45 | 50 | 55 | 60 => 60,
                    _ => 0,
                };
                if minutes > 0 {
                    guesses.until = Some(Timestamp(now.0 + minutes * MINUTE));
                }
                if guesses.consecutive >= 50 && !reads {
                    self.disabled.insert(device);
                }
            }
            None => {
                let guesses = self.tokens.entry(user).or_default();
                guesses.last = Some((wrong, now));
                guesses.remember(now);
                if guesses.in_the_last(DAY, now) >= 10 {
                    guesses.until = Some(Timestamp(now.0 + DAY));
                } else if guesses.in_the_last(HOUR, now) >= 5 {
                    guesses.until = Some(Timestamp(now.0 + HOUR));
                }
            }
        }
        let budget = self.users.entry(user).or_default();
        budget.remember(now);
        if budget.in_the_last(HOUR, now) >= 20 || budget.in_the_last(DAY, now) >= 100 {
            budget.until = Some(Timestamp(now.0 + HOUR));
        }
    }
}
