//! What this node has taken out of days and not used yet: messages, and the money that they may cost.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::model::time::{DAY, SECOND};
use domain::rules::sends::{self, Alarm, LeasedOfDay};
use domain::{Budget, Timestamp};
use store::Store;

/// What is left of what this node has taken out of days.
pub(crate) struct DayLeases {
    store: Store,
    leases: Mutex<HashMap<Budget, Lease>>,
    /// Held by the call that takes more, so that of many calls that find too little left one asks.
    turn: tokio::sync::Mutex<()>,
}

/// What came of asking a day for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenOfDay {
    /// It counts against the day.
    Taken,
    /// Not so much is left of the day; the next one begins then.
    NoneUntil(Timestamp),
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    left: i64,
    /// What of this day was handed out here and not given back.
    used: i64,
    until: Timestamp,
    /// Since when there was nothing left to take.
    dry: Option<Timestamp>,
}

/// How long a day that is used up is believed to be, in milliseconds: a limit may be raised, and a dev world put back.
const BELIEVED: i64 = 10 * SECOND;

impl DayLeases {
    pub(crate) fn over(store: &Store) -> Self {
        Self { store: store.clone(), leases: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Takes this many messages, or micro-units, of the day of `now`, whose budget has a limit.
    pub(super) async fn take(
        &self,
        budget: Budget,
        limit: i64,
        amount: i64,
        now: Timestamp,
    ) -> Result<TakenOfDay, store::Error> {
        if let Some(taken) = self.take_here(budget, amount, now) {
            return Ok(taken);
        }
        let _turn = self.turn.lock().await;
        if let Some(taken) = self.take_here(budget, amount, now) {
            return Ok(taken);
        }
        let is_money = matches!(budget, Budget::SpendOfServer | Budget::SpendOfClient(_) | Budget::SpendOfCountry(_));
        let want = if is_money { sends::share_of_money(limit, amount) } else { sends::share(limit) };
        let leased = self.store.decide_budget(budget, move |view| sends::lease(view, budget, limit, want, now)).await?;
        if let Some(alarm) = leased.alarm {
            sound(budget, alarm, limit);
        }
        Ok(self.settle(budget, leased, amount, now))
    }

    /// Gives back what was taken of the day of `at` and not used, as far as this node has handed it out: a node without this
    /// limit may have counted the message, and no day may have more than its limit. What exceeds that is lost for the day.
    pub(super) fn give_back(&self, budget: Budget, amount: i64, at: Timestamp) {
        let is_same_day = |lease: &&mut Lease| (1..=DAY).contains(&lease.until.since(at));
        if let Some(lease) = self.leases().get_mut(&budget).filter(is_same_day) {
            let back = amount.min(lease.used);
            (lease.left, lease.used) = (lease.left + back, lease.used - back);
        }
    }

    /// Takes what this node has taken before; `None` if it has to ask.
    fn take_here(&self, budget: Budget, amount: i64, now: Timestamp) -> Option<TakenOfDay> {
        let mut leases = self.leases();
        let lease = leases.get_mut(&budget).filter(|lease| is_of(lease, now))?;
        if lease.left >= amount {
            (lease.left, lease.used) = (lease.left - amount, lease.used + amount);
            return Some(TakenOfDay::Taken);
        }
        let still_dry = lease.dry.is_some_and(|since| (0..BELIEVED).contains(&now.since(since)));
        still_dry.then_some(TakenOfDay::NoneUntil(lease.until))
    }

    /// Puts what was taken into the store of this node, and takes of it.
    fn settle(&self, budget: Budget, leased: LeasedOfDay, amount: i64, now: Timestamp) -> TakenOfDay {
        let LeasedOfDay { amount: more, until, .. } = leased;
        let mut leases = self.leases();
        // With what was given back while more was being taken.
        let kept = leases.get(&budget).filter(|lease| lease.until == until);
        let (kept, used) = kept.map_or((0, 0), |lease| (lease.left, lease.used));
        let (all, dry) = (kept + more, (more == 0).then_some(now));
        let (taken, left, used) = match all - amount {
            left if left >= 0 => (TakenOfDay::Taken, left, used + amount),
            _ => (TakenOfDay::NoneUntil(until), all, used),
        };
        leases.insert(budget, Lease { left, used, until, dry });
        taken
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<Budget, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a lease is of the day of `now`, or of the next one, which another node has begun.
fn is_of(lease: &Lease, now: Timestamp) -> bool {
    (1..=2 * DAY).contains(&lease.until.since(now))
}

/// Says once what a budget has reached; the audit trail says it too.
fn sound(budget: Budget, alarm: Alarm, limit: i64) {
    let (client, country) = (budget.client().map(|client| client.0), budget.country());
    let is_money = matches!(budget, Budget::SpendOfServer | Budget::SpendOfClient(_) | Budget::SpendOfCountry(_));
    let cap = domain::model::price::amount(limit);
    match (alarm, is_money) {
        (Alarm::Near, false) => tracing::warn!(client, limit, "80 % of the messages of this day are used"),
        (Alarm::Full, false) => tracing::error!(client, limit, "all messages of this day are used: no more are sent"),
        (Alarm::Near, true) => tracing::warn!(client, country, cap, "80 % of what messages may cost this day are used"),
        (Alarm::Full, true) => {
            tracing::error!(client, country, cap, "all that messages may cost this day is used: no more are sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> (tempfile::TempDir, DayLeases) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path(), store::SqliteOptions::default()).unwrap();
        (folder, DayLeases::over(&store))
    }

    /// A node without the cap has counted the message, and this one has sent it.
    #[test]
    fn no_more_is_given_back_than_was_handed_out() {
        let ((_folder, sends), now) = (scene(), Timestamp(20_000 * DAY));
        let leased = |amount| LeasedOfDay { amount, until: now.plus(DAY), alarm: None };
        assert_eq!(sends.settle(Budget::SpendOfServer, leased(10), 4, now), TakenOfDay::Taken);
        sends.give_back(Budget::SpendOfServer, 9, now);
        assert_eq!(sends.take_here(Budget::SpendOfServer, 11, now), None);
        assert_eq!(sends.take_here(Budget::SpendOfServer, 10, now), Some(TakenOfDay::Taken));
    }

    #[test]
    fn what_is_given_back_while_more_is_taken_is_not_lost() {
        let ((_folder, sends), now) = (scene(), Timestamp(20_000 * DAY));
        let until = now.plus(DAY);
        let leased = |amount| LeasedOfDay { amount, until, alarm: None };
        assert_eq!(sends.settle(Budget::Server, leased(1), 1, now), TakenOfDay::Taken);
        assert_eq!(sends.take_here(Budget::Server, 1, now), None, "somebody asks for more");
        sends.give_back(Budget::Server, 1, now);
        assert_eq!(
            sends.settle(Budget::Server, leased(0), 1, now),
            TakenOfDay::Taken,
            "the day has no more, but this one is back"
        );
        assert_eq!(sends.settle(Budget::Server, leased(0), 1, now), TakenOfDay::NoneUntil(until));
        let tomorrow = LeasedOfDay { amount: 1, until: until.plus(DAY), alarm: None };
        assert_eq!(sends.settle(Budget::Server, tomorrow, 1, now), TakenOfDay::Taken);
        assert_eq!(sends.take_here(Budget::Server, 1, now), None, "each day has its own");
        sends.give_back(Budget::Server, 1, now);
        assert_eq!(sends.take_here(Budget::Server, 1, now.plus(DAY)), None, "what yesterday had is not today's");
    }

    #[tokio::test]
    async fn what_is_too_little_for_one_message_stays_for_a_cheaper_one() {
        let ((_folder, sends), now) = (scene(), Timestamp(20_000 * DAY));
        let cap = Budget::SpendOfCountry("DE");
        let take = |amount| sends.take(cap, 100, amount, now);
        assert_eq!(take(60).await.unwrap(), TakenOfDay::Taken);
        let tomorrow = TakenOfDay::NoneUntil(now.plus(DAY));
        assert_eq!(take(60).await.unwrap(), tomorrow, "40 are left");
        assert_eq!(take(30).await.unwrap(), TakenOfDay::Taken);
        assert_eq!(take(30).await.unwrap(), tomorrow);
        sends.give_back(cap, 20, now);
        assert_eq!(take(30).await.unwrap(), TakenOfDay::Taken, "a cheaper provider took the first");
        assert_eq!(take(1).await.unwrap(), tomorrow);
    }
}
