//! The rate limit of each client's calls (SEC 37). A server that is alone on its database keeps it in memory; nodes that
//! share a database keep it together ([`domain::rules::rate`]).

use std::num::NonZeroU32;
use std::sync::Arc;

use domain::{CallRate, ClientId};
use engine::{Engine, RateLimited};
use web::rate_limit::{Bucket, RetryAfter};

/// The rate limit of each client's calls.
pub(crate) enum ClientRateLimit {
    /// In this process alone.
    Local(Bucket<ClientId>),
    /// Together with all nodes of the installation.
    Shared(Arc<engine::SharedRateLimit>),
}

impl ClientRateLimit {
    /// Limits clients to this rate, if there is one.
    pub(crate) fn new(engine: &Engine, rate: Option<CallRate>) -> Self {
        let Some(rate) = rate else { return Self::Local(Bucket::off()) };
        let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        match engine.shared_rate_limit(rate) {
            Some(shared) => Self::Shared(shared),
            None => Self::Local(Bucket::per_second(positive(rate.per_second), positive(rate.burst))),
        }
    }

    /// Takes one call of a client.
    pub(crate) async fn take(
        &self,
        engine: &Arc<Engine>,
        client: ClientId,
    ) -> Result<Result<(), RetryAfter>, engine::Fault> {
        match self {
            Self::Local(bucket) => Ok(bucket.take(&client)),
            Self::Shared(bursts) => {
                Ok(bursts.take(engine, client).await?.map_err(|RateLimited(wait)| RetryAfter::from(wait)))
            }
        }
    }

    /// Counts more calls of a client, for one that was expensive: the next ones wait for them.
    pub(crate) fn charge(&self, client: ClientId, calls: u32) {
        match self {
            Self::Local(bucket) => bucket.charge(&client, calls),
            Self::Shared(bursts) => bursts.charge(client, calls),
        }
    }
}
