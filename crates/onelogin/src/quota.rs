//! The hourly quota of v1 calls per account (contract 1.8), one for all nodes: each takes the hour's next calls from the
//! database in blocks (rulings 35). What a node has taken and not used when the hour ends, or when it stops, is lost to the
//! others; together they never let more in than the quota.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::time::HOUR;
use domain::{ClientId, Right, Timestamp};
use engine::{Engine, ReserveCalls};

/// Calls taken from the database at a time, at most; for small quotas a twentieth of them.
const BLOCK: u64 = 100;

/// Calls in the present hour.
#[derive(Debug)]
pub struct Quota {
    limit: u64,
    taken: Mutex<Taken>,
    /// Held by whoever takes the next block, so that of many who find none left one asks.
    turn: tokio::sync::Mutex<()>,
    /// What is left for logging in and verifying when the hour is used up.
    reserve: ReserveCalls,
}

/// Numbers of calls that were taken and not used: from `next` up to, not including, `end`.
#[derive(Debug, Default, Clone, Copy)]
struct Taken {
    hour: i64,
    next: u64,
    end: u64,
}

/// How the quota stands, as the headers and `rate_limit` tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Calls an hour.
    pub limit: u64,
    /// Calls left in this hour.
    pub remaining: u64,
    /// Seconds to the end of the hour.
    pub reset: i64,
    /// Whether this call was one too many.
    pub exceeded: bool,
}

/// What the answers say when nothing is enforced: the documented default.
const SHOWN_WHEN_OFF: u64 = 5_000;

impl Quota {
    /// A quota of so many calls an hour; 0 enforces nothing, and the answers still tell a standing (rulings 35).
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            taken: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            reserve: ReserveCalls::behind(limit),
        }
    }

    /// Counts one call. If the hour is used up, it may be one of the reserve's, for the client that is named, as its right allows; the
    /// standing then is that of the hour, of which nothing remains.
    pub async fn count(
        &self,
        engine: &Engine,
        reserve: Option<(ClientId, Right)>,
        now: Timestamp,
    ) -> Result<Standing, engine::Error> {
        let standing = self.count_of_hour(engine, now).await?;
        match reserve {
            Some(client) if standing.exceeded => {
                Ok(Standing { exceeded: !self.reserve.take(engine, client, now).await?, ..standing })
            }
            _ => Ok(standing),
        }
    }

    async fn count_of_hour(&self, engine: &Engine, now: Timestamp) -> Result<Standing, engine::Error> {
        if let Some(standing) = self.count_here(now) {
            return Ok(standing);
        }
        let _turn = self.turn.lock().await;
        if let Some(standing) = self.count_here(now) {
            return Ok(standing);
        }
        let block = (self.limit / 20).clamp(1, BLOCK);
        let end = engine.take_calls(now, block).await?;
        *self.taken() = Taken { hour: now.0.div_euclid(HOUR), next: end.saturating_sub(block), end };
        Ok(self.count_here(now).unwrap_or_else(|| self.standing(now, self.limit + 1)))
    }

    /// How the quota stands, without counting.
    pub async fn read(&self, engine: &Engine, now: Timestamp) -> Result<Standing, engine::Error> {
        let taken = *self.taken();
        let used = if taken.hour == now.0.div_euclid(HOUR) {
            taken.next.saturating_sub(1)
        } else if self.limit == 0 {
            0
        } else {
            engine.calls_taken(now).await?
        };
        // Who only asks how it stands is told so.
        Ok(Standing { exceeded: false, ..self.standing(now, used) })
    }

    /// How the quota stands as far as this node knows, for answers to calls that are refused: they ask no database.
    pub fn glance(&self, now: Timestamp) -> Standing {
        let taken = *self.taken();
        let used = if taken.hour == now.0.div_euclid(HOUR) { taken.next.saturating_sub(1) } else { 0 };
        Standing { exceeded: false, ..self.standing(now, used) }
    }

    /// Counts a call that needs nothing from the database: one that was taken before, one of an hour that is used up, or
    /// any where nothing is enforced.
    fn count_here(&self, now: Timestamp) -> Option<Standing> {
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
        Some(self.standing(now, number))
    }

    /// How it stands once the call of this number was counted.
    fn standing(&self, now: Timestamp, number: u64) -> Standing {
        let hour = now.0.div_euclid(HOUR);
        let limit = if self.limit == 0 { SHOWN_WHEN_OFF } else { self.limit };
        Standing {
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
    fn taking(quota: &Quota, now: Timestamp, next: u64, end: u64) {
        *quota.taken() = Taken { hour: now.0.div_euclid(HOUR), next, end };
    }

    #[test]
    fn calls_are_counted_by_their_numbers() {
        let quota = Quota::new(2);
        let start = Timestamp(10 * HOUR);
        assert_eq!(quota.count_here(start), None, "nothing was taken");
        taking(&quota, start, 1, 2);
        let first = Standing { limit: 2, remaining: 1, reset: 3600, exceeded: false };
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
    fn a_quota_that_is_off_still_tells_a_standing() {
        let quota = Quota::new(0);
        for _ in 0..10_000 {
            assert!(!quota.count_here(Timestamp(1)).unwrap().exceeded);
        }
        let standing = quota.count_here(Timestamp(1)).unwrap();
        assert_eq!((standing.limit, standing.remaining), (5_000, 0));
        assert_eq!(quota.count_here(Timestamp(HOUR)).unwrap().remaining, 4_999);
    }
}
