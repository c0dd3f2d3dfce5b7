//! The rate of each client's calls (SEC 37). A server with a database of its own keeps it in memory alone; nodes that
//! share one keep it together ([`domain::burst`]).

use std::num::NonZeroU32;
use std::sync::Arc;

use domain::{CallRate, ClientId};
use engine::{Engine, Slow};
use web::limit::{Bucket, RetryAfter};

/// The rate of each client's calls.
pub enum Bursts {
    /// Kept by this process.
    Own(Bucket<ClientId>),
    /// Kept by all nodes together.
    Shared(Arc<engine::Bursts>),
}

impl Bursts {
    /// Holds clients to this rate, if there is one.
    pub fn new(engine: &Engine, rate: Option<CallRate>) -> Self {
        let Some(rate) = rate else { return Self::Own(Bucket::off()) };
        let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        match engine.bursts(rate) {
            Some(shared) => Self::Shared(shared),
            None => Self::Own(Bucket::per_second(positive(rate.per_second), positive(rate.burst))),
        }
    }

    /// Takes one call of a client.
    pub async fn take(&self, engine: &Arc<Engine>, client: ClientId) -> Result<Result<(), RetryAfter>, engine::Error> {
        match self {
            Self::Own(bucket) => Ok(bucket.take(&client)),
            Self::Shared(bursts) => Ok(bursts.take(engine, client).await?.map_err(|Slow(wait)| RetryAfter::from(wait))),
        }
    }

    /// Counts more calls of a client, for one that was dear: the next ones wait for them.
    pub fn charge(&self, client: ClientId, calls: u32) {
        match self {
            Self::Own(bucket) => bucket.charge(&client, calls),
            Self::Shared(bursts) => bursts.charge(client, calls),
        }
    }
}
