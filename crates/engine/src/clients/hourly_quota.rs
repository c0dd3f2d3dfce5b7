//! The hourly quota of API calls, numbered over all nodes, and the reserve behind it, as far as this node has taken it
//! out of the database. The rule is in [`domain::rules::reserve`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::model::time::HOUR;
use domain::rules::reserve::{self, LeasedCalls, Reserve};
use domain::{Budget, ClientId, Right, Timestamp};

use crate::{Engine, Fault};

impl Engine {
    /// Takes the next `count` numbers of the calls in the hour of `now`; gives the number after them.
    pub async fn take_calls(&self, now: Timestamp, count: u64) -> Result<u64, Fault> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Ok(self.store.take_calls(now, count).await?.unsigned_abs())
    }

    /// How many calls of the hour of `now` were taken so far, used or not.
    pub async fn calls_taken(&self, now: Timestamp) -> Result<u64, Fault> {
        Ok(self.store.next_call(now).await?.unsigned_abs().saturating_sub(1))
    }
}
/// What this node has of the reserve of an hour.
#[derive(Debug)]
pub struct QuotaReserve {
    reserve: Reserve,
    leases: Mutex<HashMap<Budget, Lease>>,
    /// Held by the call that takes more, so that of many calls that find none left one asks.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    hour: Timestamp,
    left: u32,
    /// Whether the hour has no more.
    is_dry: bool,
}

impl QuotaReserve {
    /// The reserve behind a quota of so many calls an hour.
    pub fn behind(quota: u64) -> Self {
        Self { reserve: Reserve::behind(quota), leases: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Takes one call of this client: from its share first, so that a client at its end takes nothing from others.
    /// Answers whether there was one.
    pub async fn take(
        &self,
        engine: &Engine,
        (client, right): (ClientId, Right),
        now: Timestamp,
    ) -> Result<bool, Fault> {
        for budget in [Reserve::part(client, right), Budget::Reserve] {
            if !self.take_of(engine, budget, now).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn take_of(&self, engine: &Engine, budget: Budget, now: Timestamp) -> Result<bool, Fault> {
        if let Some(taken) = self.take_here(budget, now) {
            return Ok(taken);
        }
        let _turn = self.turn.lock().await;
        if let Some(taken) = self.take_here(budget, now) {
            return Ok(taken);
        }
        let limit = self.reserve.limit(budget);
        let want = reserve::share(limit);
        let decide = move |view: &domain::BudgetView| reserve::lease(view, budget, limit, want, now);
        let LeasedCalls { calls, hour } = engine.store.decide_budget(budget, decide).await?;
        let mut leases = self.leases();
        // The shares of an hour that is over are worth nothing.
        leases.retain(|_, lease| lease.hour >= hour);
        leases.insert(budget, Lease { hour, left: calls.saturating_sub(1), is_dry: calls == 0 });
        Ok(calls > 0)
    }

    /// Takes one that this node has taken before; `None` if it has to ask.
    fn take_here(&self, budget: Budget, now: Timestamp) -> Option<bool> {
        let mut leases = self.leases();
        let lease =
            leases.get_mut(&budget).filter(|lease| (0..2 * HOUR).contains(&lease.hour.plus(HOUR).since(now)))?;
        if lease.left > 0 {
            lease.left -= 1;
            return Some(true);
        }
        lease.is_dry.then_some(false)
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<Budget, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
