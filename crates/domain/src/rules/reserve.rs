//! The reserve behind the hourly quota (SEC 37): calls that log people in or verify them go on when the account's quota is
//! used up, out of a reserve that no other call can use.
//!
//! The reserve is a fifth of the quota. One client takes at most half of it, so that one that has gone wild leaves the
//! others something; so do all clients together that may only look (SEC 95). Nodes take calls out of it in blocks, as they do of the quota.

use crate::model::budget::{Budget, BudgetView, Spent};
use crate::model::change::{Change, Decision};
use crate::model::client::Right;
use crate::model::id::ClientId;
use crate::model::time::{HOUR, Timestamp};

/// How many calls beyond the quota an hour has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// Of all clients together.
    pub all: u32,
    /// Of one client.
    pub client: u32,
}

impl Reserve {
    /// The reserve behind a quota of so many calls an hour.
    pub fn behind(quota: u64) -> Self {
        let all = u32::try_from(quota.div_ceil(5)).unwrap_or(u32::MAX);
        Self { all, client: all.div_ceil(2) }
    }

    /// The part of the reserve that a client's calls count in.
    pub fn part(client: ClientId, right: Right) -> Budget {
        if right.only_looks() { Budget::ReserveOfReaders } else { Budget::ReserveOf(client) }
    }

    /// The limit of this budget.
    pub fn limit(self, budget: Budget) -> u32 {
        match budget {
            Budget::Reserve => self.all,
            Budget::ReserveOf(_) | Budget::ReserveOfReaders => self.client,
            _ => 0,
        }
    }
}

/// How many calls of a reserve a node takes at a time: one in twenty, so that small reserves are met exactly.
pub fn share(limit: u32) -> u32 {
    (limit / 20).clamp(1, 50)
}

/// Calls of an hour that a node may let in without asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasedCalls {
    /// How many; none where the hour's reserve is used up.
    pub calls: u32,
    /// When the hour began.
    pub hour: Timestamp,
}

/// Takes up to `want` calls out of the hour of `now`. A node whose clock is behind goes on in the hour that others have
/// begun.
pub fn lease(view: &BudgetView, budget: Budget, limit: u32, want: u32, now: Timestamp) -> Decision<LeasedCalls> {
    let own = Timestamp(now.0.div_euclid(HOUR) * HOUR);
    let next = own.plus(HOUR);
    let hour = if view.spent.since == next { next } else { own };
    let before = if view.spent.since == hour { view.spent.taken } else { 0 };
    let left = u32::try_from(i64::from(limit).saturating_sub(before)).unwrap_or(0);
    let calls = left.min(want);
    let decision = Decision::reply(LeasedCalls { calls, hour });
    if calls == 0 {
        return decision;
    }
    let spent = Spent { taken: before.saturating_add(i64::from(calls)), since: hour, ..Spent::default() };
    decision.with(Change::SetSpent(budget, spent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(spent: &mut Spent, limit: u32, want: u32, now: Timestamp) -> u32 {
        let view = BudgetView { spent: spent.clone(), clock: now };
        let decision = lease(&view, Budget::Reserve, limit, want, now);
        if let Some(Change::SetSpent(_, changed)) = decision.changes.into_iter().next() {
            *spent = changed;
        }
        decision.reply.calls
    }

    #[test]
    fn the_reserve_is_a_fifth_and_a_client_takes_half_of_it() {
        assert_eq!(Reserve::behind(5_000), Reserve { all: 1_000, client: 500 });
        assert_eq!(Reserve::behind(2), Reserve { all: 1, client: 1 }, "a small quota has one too");
    }

    #[test]
    fn an_hour_has_its_reserve_and_no_more() {
        let (mut spent, now) = (Spent::default(), Timestamp(10 * HOUR));
        assert_eq!(
            [take(&mut spent, 10, 8, now), take(&mut spent, 10, 8, now), take(&mut spent, 10, 8, now)],
            [8, 2, 0]
        );
        assert_eq!(take(&mut spent, 10, 8, now.plus(HOUR)), 8, "the next hour");
        assert_eq!(take(&mut spent, 10, 8, now.plus(HOUR - 1)), 2, "a clock that is behind counts in the hour begun");
    }
}
