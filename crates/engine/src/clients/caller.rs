//! The API caller that an access token belongs to, kept in memory for a moment.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::model::client::is_allowed;
use domain::{ClientId, ClientOptions, ClientProfile, Digest, Network, Scope, Timestamp};

/// How long a token may be taken from memory: the bound of SEC 57.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// Callers kept in memory.
const CACHE_SIZE: u64 = 10_000;

/// The API caller that an access token belongs to.
#[derive(Debug, Clone)]
pub struct ApiCaller {
    pub client: ClientId,
    /// Its one scope.
    pub scope: Scope,
    /// How it wants to be answered.
    pub profile: ClientProfile,
    /// What an operator has chosen for it.
    pub options: ClientOptions,
    /// The token that was shown.
    pub(crate) token: Digest,
    /// When the token ends, or its client before it.
    pub(super) expires_at: Timestamp,
    /// Networks the client may call from.
    pub(super) ip_allow: Vec<Network>,
}

impl ApiCaller {
    /// Whether its client may call from this address (SEC 42).
    pub(crate) fn may_call(&self, from: IpAddr) -> bool {
        is_allowed(&self.ip_allow, from)
    }
}

/// Callers by the digests of their tokens.
pub(crate) fn caller_cache() -> moka::sync::Cache<Digest, Arc<ApiCaller>> {
    moka::sync::Cache::builder().max_capacity(CACHE_SIZE).time_to_live(CACHE_TTL).build()
}
