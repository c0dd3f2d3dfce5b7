//! The hourly quota of v1 calls per account (contract 1.8), shared by all nodes: each leases the hour's next calls from
//! the database in blocks (decision 35). Calls that a node has leased and not used when the hour ends, or when the node
//! stops, are lost; together the nodes never admit more than the quota.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::model::time::HOUR;
use domain::{ClientId, Right, Timestamp};
use engine::{Engine, QuotaReserve};

/// Calls taken from the database at a time, at most; for small quotas a twentieth of them.
const BLOCK: u64 = 100;

/// How a call of a route counts in the quota. The route table names it where it is not the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Whether the call may use the reserve once the hour's quota is used up.
    pub(crate) has_reserve: bool,
}

impl Cost {
    /// The usual call.
    pub(crate) const CALL: Self = Self { has_reserve: false };
    /// What people wait for: logging in, and sending and judging codes.
    pub(crate) const LOG_IN: Self = Self { has_reserve: true };
}

/// The quota, and the calls that this node has leased of the present hour.
#[derive(Debug)]
pub(crate) struct HourlyQuota {
    limit: u64,
    taken: Mutex<Taken>,
    /// Held while a block is leased, so that of many calls that find none left only one asks the database.
    turn: tokio::sync::Mutex<()>,
    /// Calls kept back for logging in and verifying when the hour is used up.
    reserve: QuotaReserve,
}

/// The numbers of leased calls that are not used yet: from `next` up to, not including, `end`.
#[derive(Debug, Default, Clone, Copy)]
struct Taken {
    hour: i64,
    next: u64,
    end: u64,
}

/// The state of the quota, as the headers and `rate_limit` show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuotaStatus {
    pub limit: u64,
    pub remaining: u64,
    /// Seconds to the end of the hour.
    pub reset: i64,
    /// Whether this call was one too many.
    pub exceeded: bool,
}

/// The limit shown when none is enforced: the documented default.
const SHOWN_WHEN_OFF: u64 = 5_000;

impl HourlyQuota {
    /// A quota of so many calls an hour; 0 enforces nothing, and the answers still show a status (decision 35).
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            taken: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            reserve: QuotaReserve::behind(limit),
        }
    }

    /// Counts one call. If the hour is used up, the call may come out of the reserve, where `reserve` names its client and
    /// right; the status is then that of the hour, with nothing remaining.
    pub(crate) async fn count(
        &self,
        engine: &Engine,
        reserve: Option<(ClientId, Right)>,
        now: Timestamp,
    ) -> Result<QuotaStatus, engine::Fault> {
        let status = self.count_of_hour(engine, now).await?;
        match reserve {
            Some(client) if status.exceeded => {
                Ok(QuotaStatus { exceeded: !self.reserve.take(engine, client, now).await?, ..status })
            }
            _ => Ok(status),
        }
    }

    async fn count_of_hour(&self, engine: &Engine, now: Timestamp) -> Result<QuotaStatus, engine::Fault> {
        if let Some(status) = self.count_here(now) {
            return Ok(status);
        }
        let _turn = self.turn.lock().await;
        if let Some(status) = self.count_here(now) {
            return Ok(status);
        }
        let block = (self.limit / 20).clamp(1, BLOCK);
        let end = engine.take_calls(now, block).await?;
        *self.taken() = Taken { hour: now.0.div_euclid(HOUR), next: end.saturating_sub(block), end };
        Ok(self.count_here(now).unwrap_or_else(|| self.status(now, self.limit + 1)))
    }

    /// The status, without counting a call.
    pub(crate) async fn read(&self, engine: &Engine, now: Timestamp) -> Result<QuotaStatus, engine::Fault> {
        let taken = *self.taken();
        let used = if taken.hour == now.0.div_euclid(HOUR) {
            taken.next.saturating_sub(1)
        } else if self.limit == 0 {
            0
        } else {
            engine.calls_taken(now).await?
        };
        // Asking is never one call too many.
        Ok(QuotaStatus { exceeded: false, ..self.status(now, used) })
    }

    /// The status as far as this node knows, for answers to refused calls: they do not ask the database.
    pub(crate) fn glance(&self, now: Timestamp) -> QuotaStatus {
        let taken = *self.taken();
        let used = if taken.hour == now.0.div_euclid(HOUR) { taken.next.saturating_sub(1) } else { 0 };
        QuotaStatus { exceeded: false, ..self.status(now, used) }
    }

    /// Counts a call for which the database is not needed: one that was leased before, one of an hour that is used up, or
    /// any where nothing is enforced. `None` where it is needed.
    fn count_here(&self, now: Timestamp) -> Option<QuotaStatus> {
        let hour = now.0.div_euclid(HOUR);
        let mut taken = self.taken();
        if self.limit == 0 {
            if taken.hour != hour {
                *taken = Taken { hour, next: 1, end: u64::MAX };
            }
        } else if taken.hour != hour || (taken.next >= taken.end && taken.next <= self.limit) {
            return None;
        }
        let number = taken.next;
        if number <= self.limit || self.limit == 0 {
            taken.next = number.saturating_add(1);
        }
        drop(taken);
        Some(self.status(now, number))
    }

    /// The status once the call of this number was counted.
    fn status(&self, now: Timestamp, number: u64) -> QuotaStatus {
        let hour = now.0.div_euclid(HOUR);
        let limit = if self.limit == 0 { SHOWN_WHEN_OFF } else { self.limit };
        QuotaStatus {
            limit,
            remaining: limit.saturating_sub(number),
            reset: Timestamp((hour + 1) * HOUR).retry_after(now),
            exceeded: self.limit != 0 && number > self.limit,
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a quota the numbers from `next` up to `end`.
    fn taking(quota: &HourlyQuota, now: Timestamp, next: u64, end: u64) {
        *quota.taken() = Taken { hour: now.0.div_euclid(HOUR), next, end };
    }

    #[test]
    fn calls_are_counted_by_their_numbers() {
        let quota = HourlyQuota::new(2);
        let start = Timestamp(10 * HOUR);
        assert_eq!(quota.count_here(start), None, "nothing was taken");
        taking(&quota, start, 1, 2);
        let first = QuotaStatus { limit: 2, remaining: 1, reset: 3600, exceeded: false };
        assert_eq!(quota.count_here(start), Some(first));
        assert_eq!(quota.count_here(start), None, "what was taken is used");
        taking(&quota, start, 2, 3);
        assert!(!quota.count_here(start).unwrap().exceeded);
        for _ in 0..3 {
            assert!(quota.count_here(start).unwrap().exceeded, "an hour that is used up asks nobody");
        }
        assert_eq!(quota.count_here(start.plus(HOUR)), None, "another hour");
    }

    #[test]
    fn a_quota_that_is_off_still_shows_a_status() {
        let quota = HourlyQuota::new(0);
        for _ in 0..10_000 {
            assert!(!quota.count_here(Timestamp(1)).unwrap().exceeded);
        }
        let status = quota.count_here(Timestamp(1)).unwrap();
        assert_eq!((status.limit, status.remaining), (5_000, 0));
        assert_eq!(quota.count_here(Timestamp(HOUR)).unwrap().remaining, 4_999);
    }
}
