//! The messages that this node has taken out of days, and not sent yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::model::time::{DAY, SECOND};
use domain::rules::sends::LeasedMessages;
use domain::{Budget, Timestamp};

/// What is left of the messages that this node has taken out of days.
#[derive(Default)]
pub(crate) struct Sends {
    leases: Mutex<HashMap<Budget, Lease>>,
    /// Held by the call that takes more, so that of many calls that find none left one asks.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What came of asking a day for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenOfDay {
    /// It counts against the day.
    One,
    /// The day has no limit.
    Unlimited,
    /// The day is used up; the next one begins then.
    NoneUntil(Timestamp),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) left: u32,
    pub(super) until: Timestamp,
    /// Since when there was nothing left to take.
    dry: Option<Timestamp>,
}

/// How long a day that is used up is believed to be, in milliseconds: a limit may be raised, and a dev world put back.
const BELIEVED: i64 = 10 * SECOND;

impl Sends {
    /// Takes a message that this node has taken before; `None` if it has to ask.
    pub(super) fn take_here(&self, budget: Budget, now: Timestamp) -> Option<TakenOfDay> {
        let mut leases = self.leases();
        let lease = leases.get_mut(&budget).filter(|lease| is_of(lease, now))?;
        if lease.left > 0 {
            lease.left -= 1;
            return Some(TakenOfDay::One);
        }
        let still_dry = lease.dry.is_some_and(|since| (0..BELIEVED).contains(&now.since(since)));
        still_dry.then_some(TakenOfDay::NoneUntil(lease.until))
    }

    /// Puts what was taken into the store of this node, and takes one of it.
    pub(super) fn settle(&self, budget: Budget, leased: LeasedMessages, now: Timestamp) -> TakenOfDay {
        let LeasedMessages { messages, until, .. } = leased;
        let mut leases = self.leases();
        // With what was given back while more was being taken.
        let kept = leases.get(&budget).filter(|lease| lease.until == until).map_or(0, |lease| lease.left);
        let left = kept + messages;
        leases.insert(budget, Lease { left: left.saturating_sub(1), until, dry: (messages == 0).then_some(now) });
        if left > 0 { TakenOfDay::One } else { TakenOfDay::NoneUntil(until) }
    }

    pub(super) fn leases(&self) -> MutexGuard<'_, HashMap<Budget, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a lease is of the day of `now`, or of the next one, which another node has begun.
fn is_of(lease: &Lease, now: Timestamp) -> bool {
    (1..=2 * DAY).contains(&lease.until.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_while_more_is_taken_is_not_lost() {
        let (sends, now) = (Sends::default(), Timestamp(20_000 * DAY));
        let until = now.plus(DAY);
        let leased = |messages| LeasedMessages { messages, until, alarm: None };
        assert_eq!(sends.settle(Budget::Server, leased(1), now), TakenOfDay::One);
        assert_eq!(sends.take_here(Budget::Server, now), None, "somebody asks for more");
        sends.leases().entry(Budget::Server).and_modify(|lease| lease.left += 1);
        assert_eq!(
            sends.settle(Budget::Server, leased(0), now),
            TakenOfDay::One,
            "the day has no more, but this one is back"
        );
        assert_eq!(sends.settle(Budget::Server, leased(0), now), TakenOfDay::NoneUntil(until));
        let tomorrow = LeasedMessages { messages: 1, until: until.plus(DAY), alarm: None };
        assert_eq!(sends.settle(Budget::Server, tomorrow, now), TakenOfDay::One);
        assert_eq!(sends.take_here(Budget::Server, now), None, "each day has its own");
    }
}
