//! Rate limits held in memory: calls of one caller, and failures of one address.
//!
//! They reduce floods. They are lost with the process and differ between nodes. Guesses at a user's factor are counted
//! in the database and not here (SEC 20). Time is the limiter's own monotonic clock, because nothing durable depends on
//! it; tests use another clock.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

/// Number of checks after which unused keys are removed.
const SWEEP_EVERY: u32 = 4096;

/// A refusal, with the time to wait in whole seconds, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub u64);

impl From<Duration> for RetryAfter {
    fn from(wait: Duration) -> Self {
        Self((wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1))
    }
}

/// The key under which an address is counted: a whole IPv4 address, or the /64 of an IPv6 address.
pub fn peer_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

type Buckets<K, C> = RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A token bucket per key, with a rate and a burst.
#[derive(Debug)]
pub struct Bucket<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    limiter: Option<Buckets<K, C>>,
    checks: AtomicU32,
    rate: NonZeroU32,
    burst: NonZeroU32,
    /// Charged calls that are not paid yet. Usually empty, which `take` sees without the lock.
    owed: Mutex<HashMap<K, u32>>,
    owing: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    /// A bucket that refills at `rate` a second and holds `burst`.
    pub fn per_second(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::with_clock(rate, burst, DefaultClock::default())
    }

    /// A bucket that never refuses.
    pub fn off() -> Self {
        Self::over(None, NonZeroU32::MIN, NonZeroU32::MIN)
    }
}

impl<K: Hash + Eq + Clone, C: Clock> Bucket<K, C> {
    fn with_clock(rate: NonZeroU32, burst: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(rate).allow_burst(burst);
        Self::over(Some(RateLimiter::dashmap_with_clock(quota, clock)), rate, burst)
    }

    fn over(limiter: Option<Buckets<K, C>>, rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { limiter, checks: AtomicU32::new(0), rate, burst, owed: Mutex::default(), owing: AtomicUsize::new(0) }
    }

    /// Takes one call from the bucket of `key`.
    pub fn take(&self, key: &K) -> Result<(), RetryAfter> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            limiter.retain_recent();
        }
        self.pay(limiter, key)?;
        limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()).into())
    }
}

impl<K: Hash + Eq + Clone, C: Clock> Bucket<K, C> {
    /// Charges calls of `key` that have already been made: the next call waits until they are paid. The debt is never
    /// larger than the bucket.
    pub fn charge(&self, key: &K, calls: u32) {
        if calls == 0 || self.limiter.is_none() {
            return;
        }
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let debt = owed.entry(key.clone()).or_insert(0);
        *debt = debt.saturating_add(calls).min(self.burst.get());
        self.owing.store(owed.len(), Ordering::Release);
    }

    /// Pays the debt as far as the bucket allows.
    fn pay(&self, limiter: &Buckets<K, C>, key: &K) -> Result<(), RetryAfter> {
        if self.owing.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(debt) = owed.get_mut(key) else { return Ok(()) };
        let mut piece = *debt;
        while let Some(calls) = NonZeroU32::new(piece) {
            if matches!(limiter.check_key_n(key, calls), Ok(Ok(()))) {
                *debt -= piece;
                piece = piece.min(*debt);
            } else {
                piece /= 2;
            }
        }
        if *debt > 0 {
            return Err(RetryAfter(u64::from(debt.div_ceil(self.rate.get()))));
        }
        owed.remove(key);
        self.owing.store(owed.len(), Ordering::Release);
        Ok(())
    }
}

/// Counts the failures of an address and refuses it after too many. Successes cost nothing, so a busy honest address is
/// never refused.
#[derive(Debug)]
pub struct Strikes<C: Clock = DefaultClock> {
    limiter: RateLimiter<IpAddr, DashMapStateStore<IpAddr>, C, StateInformationMiddleware>,
    /// Time until which an address is refused. Usually empty, which `check` sees without the lock.
    refused: Mutex<HashMap<IpAddr, C::Instant>>,
    refused_count: AtomicUsize,
    counted: AtomicU32,
    /// Time after which one strike is forgotten.
    forgets_one: Duration,
}

impl Strikes {
    /// Allows `count` strikes at once; all are forgotten evenly over the time `within`.
    pub fn new(count: NonZeroU32, within: Duration) -> Self {
        Self::with_clock(count, within, DefaultClock::default())
    }

    /// The limit of wrong client secrets for one address: 600 in 10 minutes (SEC 30).
    pub fn wrong_secrets() -> Self {
        const COUNT: NonZeroU32 = NonZeroU32::new(600).unwrap();
        Self::new(COUNT, Duration::from_secs(600))
    }
}

impl<C: Clock> Strikes<C> {
    fn with_clock(count: NonZeroU32, within: Duration, clock: C) -> Self {
        let forgets_one = (within / count.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(forgets_one).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(count);
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, clock).with_middleware(),
            refused: Mutex::default(),
            refused_count: AtomicUsize::new(0),
            counted: AtomicU32::new(0),
            forgets_one,
        }
    }

    /// Fails while the strikes of `peer` are used up. Call it before an answer of `peer` is checked.
    pub fn check(&self, peer: IpAddr) -> Result<(), RetryAfter> {
        if self.refused_count.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let now = self.limiter.clock().now();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = peer_key(peer);
        let Some(until) = refused.get(&peer) else { return Ok(()) };
        let wait = until.duration_since(now);
        if wait > Nanos::new(0) {
            return Err(Duration::from(wait).into());
        }
        refused.remove(&peer);
        self.refused_count.store(refused.len(), Ordering::Release);
        Ok(())
    }

    /// Counts a wrong answer of `peer`.
    pub fn strike(&self, peer: IpAddr) {
        let peer = peer_key(peer);
        let sweep = self.counted.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1;
        if sweep {
            self.limiter.retain_recent();
        }
        let now = self.limiter.clock().now();
        let wait = match self.limiter.check_key(&peer) {
            Ok(left) if left.remaining_burst_capacity() > 0 => return,
            Ok(_) => self.forgets_one,
            Err(not_until) => not_until.wait_time_from(now),
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if sweep || refused.len() >= SWEEP_EVERY as usize {
            refused.retain(|_, until| until.duration_since(now) > Nanos::new(0));
        }
        refused.insert(peer, now + Nanos::from(wait));
        self.refused_count.store(refused.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let clock = FakeRelativeClock::default();
        let bucket = Bucket::with_clock(number(100), number(200), clock.clone());
        for _ in 0..200 {
            assert_eq!(bucket.take(&1), Ok(()));
        }
        assert_eq!(bucket.take(&1), Err(RetryAfter(1)));
        assert_eq!(bucket.take(&2), Ok(()), "another client has its own bucket");
        clock.advance(Duration::from_millis(10));
        assert_eq!(bucket.take(&1), Ok(()));
        assert_eq!(bucket.take(&1), Err(RetryAfter(1)));
    }

    #[test]
    fn what_is_charged_is_paid_before_the_next_call_and_never_more_than_a_bucket() {
        let clock = FakeRelativeClock::default();
        let bucket = Bucket::with_clock(number(100), number(200), clock.clone());
        bucket.charge(&1, 50);
        for _ in 0..150 {
            assert_eq!(bucket.take(&1), Ok(()));
        }
        assert_eq!(bucket.take(&1), Err(RetryAfter(1)));
        bucket.charge(&1, u32::MAX);
        assert_eq!(bucket.take(&1), Err(RetryAfter(2)));
        assert_eq!(bucket.take(&2), Ok(()), "another client owes nothing");
        clock.advance(Duration::from_millis(1_990));
        assert_eq!(bucket.take(&1), Err(RetryAfter(1)));
        clock.advance(Duration::from_millis(20));
        assert_eq!(bucket.take(&1), Ok(()));
        assert_eq!(bucket.take(&1), Err(RetryAfter(1)));
    }

    #[test]
    fn a_bucket_that_is_off_never_runs_dry() {
        let bucket = Bucket::off();
        bucket.charge(&1, 50);
        assert!((0..10_000).all(|_| bucket.take(&1).is_ok()));
    }

    #[test]
    fn strikes_refuse_an_address_until_one_is_forgotten() {
        let clock = FakeRelativeClock::default();
        let strikes = Strikes::with_clock(number(600), Duration::from_secs(600), clock.clone());
        for _ in 0..600 {
            assert_eq!(strikes.check(PEER), Ok(()));
            strikes.strike(PEER);
        }
        assert_eq!(strikes.check(PEER), Err(RetryAfter(1)));
        assert_eq!(strikes.check(OTHER), Ok(()));
        clock.advance(Duration::from_secs(1));
        assert_eq!(strikes.check(PEER), Ok(()));
        strikes.strike(PEER);
        assert_eq!(strikes.check(PEER), Err(RetryAfter(1)));
        clock.advance(Duration::from_secs(600));
        assert_eq!(strikes.check(PEER), Ok(()));
        strikes.strike(PEER);
        assert_eq!(strikes.check(PEER), Ok(()));
    }

    #[test]
    fn being_right_costs_nothing() {
        let strikes = Strikes::new(number(2), Duration::from_secs(60));
        assert!((0..1000).all(|_| strikes.check(PEER).is_ok()));
        strikes.strike(PEER);
        assert!(strikes.check(PEER).is_ok());
        strikes.strike(PEER);
        assert_eq!(strikes.check(PEER), Err(RetryAfter(30)));
    }

    #[test]
    fn waits_are_whole_seconds_rounded_up() {
        assert_eq!(RetryAfter::from(Duration::ZERO), RetryAfter(1));
        assert_eq!(RetryAfter::from(Duration::from_millis(1001)), RetryAfter(2));
        assert_eq!(RetryAfter::from(Duration::from_secs(3)), RetryAfter(3));
    }

    #[test]
    fn one_ipv6_network_is_one_caller() {
        let key = |address: &str| peer_key(address.parse().unwrap()).to_string();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(key("192.0.2.1"), "192.0.2.1");
    }
}
