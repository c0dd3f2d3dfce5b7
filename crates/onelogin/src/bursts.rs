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
    /// Holds clients to this rate; to none where it has a zero.
    pub fn new(engine: &Engine, rate: CallRate) -> Self {
        let numbers = NonZeroU32::new(rate.per_second).zip(NonZeroU32::new(rate.burst));
        let Some((per_second, burst)) = numbers else { return Self::Own(Bucket::off()) };
        match engine.bursts(rate) {
            Some(shared) => Self::Shared(shared),
            None => Self::Own(Bucket::per_second(per_second, burst)),
        }
    }

    /// Takes one call of a client.
    pub async fn take(&self, engine: &Arc<Engine>, client: ClientId) -> Result<Result<(), RetryAfter>, engine::Error> {
        match self {
            Self::Own(bucket) => Ok(bucket.take(&client)),
            Self::Shared(bursts) => Ok(bursts.take(engine, client).await?.map_err(|Slow(wait)| RetryAfter::from(wait))),
        }
    }
}
