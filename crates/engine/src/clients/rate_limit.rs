//! The rate of a client's calls where several nodes share a database (SEC 37): what this node has taken out of the
//! clients' buckets and not used yet. The rule, and what it promises, are in [`domain::rules::rate`].
//!
//! A call takes from memory. More is fetched in the background while there is some left, so a call waits for the
//! database only where a client's calls swell faster than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::rules::rate::{self, Granted, LEASE};
use domain::{Budget, CallRate, ClientId};

use crate::{Engine, Fault};

/// Calls asked for at first. Each lease that was used up doubles it, up to half a bucket.
const FIRST: i64 = 8;
/// How long an empty bucket is left alone, in milliseconds, however soon there would be one more call in it.
const PAUSE: i64 = 100;

/// How long a database that does not answer is left alone, in milliseconds.
const REST: i64 = 1_000;

/// Too fast: come back in this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited(pub Duration);

/// What a node has of the buckets of all clients that call it.
pub struct SharedRateLimit {
    rate: CallRate,
    /// When it began; moments are milliseconds since then, of a clock that only goes forward.
    began: Instant,
    buckets: Mutex<HashMap<ClientId, LocalBucket>>,
}

/// What a node has of one client's bucket. As many as there are clients, so none is ever thrown away: its debt would be.
#[derive(Debug, Clone)]
struct LocalBucket {
    /// Calls that may be admitted; below zero those admitted on credit.
    left: i64,
    /// What is left is worth nothing from then on.
    until: i64,
    /// How many to ask for next time.
    want: i64,
    /// At or below this more is fetched.
    low: i64,
    /// The bucket is empty until then.
    dry_until: i64,
    /// Whether that is because the database did not answer.
    away: bool,
    /// Whether somebody is fetching more in the background.
    fetching: bool,
    /// Held by the call that asks, so that of many calls that find nothing one asks.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What a call finds.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It is admitted.
    Call,
    /// It is admitted, and more should be fetched.
    Last,
    /// Nothing, and somebody has to ask.
    Nothing,
    /// Nothing, and there is nothing in the bucket either.
    Dry(Duration),
    /// Nothing, and what the bucket has is unknown: the database did not answer. It is not the caller's fault.
    Away,
}

impl Engine {
    /// The clients' rate, if there may be other nodes to keep it with.
    pub fn shared_rate_limit(&self, rate: CallRate) -> Option<Arc<SharedRateLimit>> {
        self.store.is_shared().then(|| Arc::new(SharedRateLimit::new(rate)))
    }
}

impl SharedRateLimit {
    fn new(rate: CallRate) -> Self {
        Self { rate, began: moment(), buckets: Mutex::default() }
    }

    /// Takes one call of a client.
    pub async fn take(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        client: ClientId,
    ) -> Result<Result<(), RateLimited>, Fault> {
        match self.find(client, self.now()) {
            Found::Call => Ok(Ok(())),
            Found::Last => {
                let (limit, engine) = (self.clone(), engine.clone());
                tokio::spawn(async move {
                    if let Err(error) = limit.fetch(&engine, client).await {
                        tracing::debug!(%error, "no calls could be fetched");
                    }
                    limit.fetched(client);
                });
                Ok(Ok(()))
            }
            Found::Dry(wait) => Ok(Err(RateLimited(wait))),
            Found::Away => Err(away()),
            Found::Nothing => self.take_slowly(engine, client).await,
        }
    }

    /// Counts more calls of a client, which are done already: they are owed like those admitted on credit, a bucket at
    /// most.
    pub fn charge(&self, client: ClientId, calls: u32) {
        let credit = self.rate.credit();
        let mut buckets = self.buckets();
        let bucket = buckets.entry(client).or_insert_with(|| LocalBucket::new(credit));
        let most = -credit - i64::from(self.rate.burst);
        bucket.left = bucket.left.saturating_sub(calls.into()).max(most.min(bucket.left));
    }

    /// The same where there is nothing left: waits for the turn, and asks if no other call has meanwhile.
    async fn take_slowly(&self, engine: &Engine, client: ClientId) -> Result<Result<(), RateLimited>, Fault> {
        let turn = self.turn(client);
        let _turn = turn.lock().await;
        // What others in front of this one have fetched may be gone again.
        for asked in [false, true] {
            match self.find(client, self.now()) {
                Found::Call => return Ok(Ok(())),
                Found::Last => {
                    self.fetched(client);
                    return Ok(Ok(()));
                }
                Found::Dry(wait) => return Ok(Err(RateLimited(wait))),
                Found::Away => return Err(away()),
                Found::Nothing if asked => break,
                Found::Nothing => self.ask(engine, client).await?,
            }
        }
        Ok(Err(RateLimited(millis(PAUSE))))
    }

    async fn fetch(&self, engine: &Engine, client: ClientId) -> Result<(), Fault> {
        let turn = self.turn(client);
        let _turn = turn.lock().await;
        self.ask(engine, client).await
    }

    /// Pays the debt and takes more. Should it fail, the debt stays: it is paid twice at worst.
    async fn ask(&self, engine: &Engine, client: ClientId) -> Result<(), Fault> {
        let (debt, want) = self.wanted(client);
        let rate = self.rate;
        let asked = Budget::Calls(client);
        let granted = engine.store.decide_budget(asked, move |view| rate::take(view, client, rate, debt, want)).await;
        match &granted {
            Ok(granted) => self.settle(client, *granted, self.now()),
            Err(_) => self.leave_alone(client, self.now()),
        }
        granted.map(|_| ()).map_err(Fault::from)
    }

    fn find(&self, client: ClientId, now: i64) -> Found {
        let credit = self.rate.credit();
        let mut buckets = self.buckets();
        let bucket = buckets.entry(client).or_insert_with(|| LocalBucket::new(credit));
        if now >= bucket.until && bucket.left > 0 {
            // It was too much.
            bucket.want = (bucket.want - bucket.left).max(FIRST);
            (bucket.left, bucket.low) = (0, -credit / 2);
        }
        if bucket.left <= -credit {
            let wait = bucket.dry_until - now;
            return match (wait > 0, bucket.away) {
                (false, _) => Found::Nothing,
                (true, true) => Found::Away,
                (true, false) => Found::Dry(millis(wait)),
            };
        }
        bucket.left -= 1;
        if bucket.left <= bucket.low && !bucket.fetching && now >= bucket.dry_until {
            bucket.fetching = true;
            return Found::Last;
        }
        Found::Call
    }

    fn wanted(&self, client: ClientId) -> (i64, i64) {
        let buckets = self.buckets();
        buckets.get(&client).map_or((0, FIRST), |bucket| ((-bucket.left).max(0), bucket.want))
    }

    fn settle(&self, client: ClientId, granted: Granted, now: i64) {
        let credit = self.rate.credit();
        let most = i64::from(self.rate.burst / 2).max(FIRST);
        let mut buckets = self.buckets();
        let bucket = buckets.entry(client).or_insert_with(|| LocalBucket::new(credit));
        let Granted { paid, calls, wait } = granted;
        bucket.away = false;
        bucket.left += paid + calls;
        if calls > 0 {
            bucket.until = now + LEASE;
            bucket.want = (bucket.want * 2).min(most);
            bucket.low = calls / 4;
        } else {
            bucket.dry_until = now + wait.max(PAUSE);
            bucket.low = -credit / 2;
        }
    }

    /// Leaves a database alone that does not answer, so that calls do not wait for it one after the other.
    fn leave_alone(&self, client: ClientId, now: i64) {
        self.settle(client, Granted { paid: 0, calls: 0, wait: REST }, now);
        if let Some(bucket) = self.buckets().get_mut(&client) {
            bucket.away = true;
        }
    }

    fn fetched(&self, client: ClientId) {
        if let Some(bucket) = self.buckets().get_mut(&client) {
            bucket.fetching = false;
        }
    }

    fn turn(&self, client: ClientId) -> Arc<tokio::sync::Mutex<()>> {
        let credit = self.rate.credit();
        self.buckets().entry(client).or_insert_with(|| LocalBucket::new(credit)).turn.clone()
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<ClientId, LocalBucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        i64::try_from((moment() - self.began).as_millis()).unwrap_or(i64::MAX)
    }
}

impl LocalBucket {
    fn new(credit: i64) -> Self {
        Self {
            left: 0,
            until: 0,
            want: FIRST,
            low: -credit / 2,
            dry_until: 0,
            away: false,
            fetching: false,
            turn: Arc::default(),
        }
    }
}

fn away() -> Fault {
    store::Error::Unavailable("the database did not answer a moment ago").into()
}

/// The rate of calls follows a clock that cannot be moved; nothing durable depends on it.
#[expect(clippy::disallowed_methods, reason = "a pace, on which nothing durable rests")]
fn moment() -> Instant {
    Instant::now()
}

fn millis(wait: i64) -> Duration {
    Duration::from_millis(wait.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: ClientId = ClientId(1);

    fn limit() -> SharedRateLimit {
        SharedRateLimit::new(CallRate { per_second: 100, burst: 200 })
    }

    /// How many calls are admitted before somebody has to ask.
    fn admitted(limit: &SharedRateLimit, now: i64) -> i64 {
        let is_refused = |_: &i64| matches!(limit.find(CLIENT, now), Found::Nothing | Found::Dry(_));
        (0..1_000).find(is_refused).expect("no bucket is that deep")
    }

    #[test]
    fn a_few_calls_are_admitted_on_credit_and_paid_for_later() {
        let limit = limit();
        assert_eq!(admitted(&limit, 0), 20);
        assert_eq!(limit.wanted(CLIENT), (20, FIRST));
        limit.settle(CLIENT, Granted { paid: 20, calls: 8, wait: 1 }, 0);
        assert_eq!(limit.wanted(CLIENT), (0, 2 * FIRST));
        assert_eq!(admitted(&limit, 999), 28, "what was granted, and credit again");
    }

    #[test]
    fn nobody_asks_an_empty_bucket_and_no_credit_comes_from_it() {
        let limit = limit();
        assert_eq!(admitted(&limit, 0), 20);
        limit.settle(CLIENT, Granted { paid: 5, calls: 0, wait: 10 }, 0);
        assert_eq!(admitted(&limit, 1), 5, "only what was paid for");
        assert_eq!(limit.find(CLIENT, 1), Found::Dry(millis(PAUSE - 1)));
        assert_eq!(limit.find(CLIENT, PAUSE), Found::Nothing);
    }

    #[test]
    fn a_database_that_is_away_is_no_fault_of_the_caller() {
        let limit = limit();
        assert_eq!(admitted(&limit, 0), 20);
        limit.leave_alone(CLIENT, 0);
        assert_eq!(limit.find(CLIENT, 1), Found::Away);
        assert_eq!(limit.find(CLIENT, REST), Found::Nothing, "and is asked again");
        limit.settle(CLIENT, Granted { paid: 0, calls: 0, wait: 10 }, REST);
        assert!(matches!(limit.find(CLIENT, REST), Found::Dry(_)), "an empty bucket is the caller's doing");
    }

    #[test]
    fn what_is_not_used_in_time_is_worth_nothing_and_less_is_asked_for() {
        let limit = limit();
        assert_eq!(limit.find(CLIENT, 0), Found::Call);
        for _ in 0..4 {
            let want = limit.wanted(CLIENT).1;
            limit.settle(CLIENT, Granted { paid: 0, calls: want, wait: 1 }, 0);
        }
        assert_eq!(limit.wanted(CLIENT).1, 100, "half a bucket at most");
        assert_eq!(admitted(&limit, LEASE), 20, "credit alone");
        assert_eq!(limit.wanted(CLIENT), (20, FIRST));
    }

    #[test]
    fn what_a_call_cost_beyond_one_is_owed_and_never_more_than_a_bucket() {
        let limit = limit();
        limit.charge(CLIENT, 50);
        assert_eq!(limit.find(CLIENT, 0), Found::Nothing, "no credit before it is paid");
        assert_eq!(limit.wanted(CLIENT).0, 50);
        limit.settle(CLIENT, Granted { paid: 50, calls: 8, wait: 1 }, 0);
        assert_eq!(admitted(&limit, 1), 28);
        limit.charge(CLIENT, u32::MAX);
        assert_eq!(limit.wanted(CLIENT).0, 220);
        limit.charge(CLIENT, 1);
        assert_eq!(limit.wanted(CLIENT).0, 220);
    }

    #[test]
    fn more_is_fetched_once_before_all_is_used() {
        let limit = limit();
        let found: Vec<_> = (0..20).map(|_| limit.find(CLIENT, 0)).collect();
        assert_eq!(found.iter().filter(|found| **found == Found::Last).count(), 1);
        assert_eq!(found[9], Found::Last, "at half of the credit");
        limit.settle(CLIENT, Granted { paid: 20, calls: 8, wait: 1 }, 0);
        limit.fetched(CLIENT);
        let found: Vec<_> = (0..8).map(|_| limit.find(CLIENT, 0)).collect();
        assert_eq!(found.iter().position(|found| *found == Found::Last), Some(5), "at a quarter of the lease");
    }
}
