//! What every handler has at hand: the engine, the operator's options, and the limits of this dialect.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use domain::{CallRate, ClientId};
use engine::{Engine, Fault, ListError, ListTurn};
use web::proxy::TrustedProxies;
use web::rate_limit::Strikes;

use crate::hourly_quota::HourlyQuota;
use crate::openapi::written::Described;
use crate::rate_limit::ClientRateLimit;
use crate::requests::Requests;
use crate::route::{RouteEntry, RoutesBeside};
use crate::wire::call::Origin;
use crate::wire::factor_names::FactorNames;

/// Joins a request's span to the trace that its caller's headers name.
pub type FollowTrace = fn(&tracing::Span, &axum::http::HeaderMap);

/// What an operator sets for this dialect.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate switch in the configuration")]
pub struct DialectOptions {
    /// Whether v1 trigger and verify need a scope that manages users (contract 4.4).
    pub strict_v1_scopes: bool,
    /// Whether MFA v2 needs `Manage All` (contract 1.5).
    pub strict_v2_scopes: bool,
    /// Whether a wrong code at PUT registrations is answered 200 instead of 401 (decision 29).
    pub v2_wrong_otp_200: bool,
    /// v1 calls an hour for the whole account; 0 enforces nothing (contract 1.8).
    pub hourly_quota: u64,
    /// Whether each client's calls are limited to `call_rate` (SEC 37).
    pub burst_limit: bool,
    /// The rate of one client's calls.
    pub call_rate: CallRate,
    /// Proxies whose `X-Forwarded-*` is believed (SEC 64).
    pub trusted_proxies: TrustedProxies,
    /// Whether callers reach this server over TLS without a proxy.
    pub tls: bool,
    /// Whether any `subdomain` is accepted as ours (contract 5.1).
    pub accept_any_subdomain: bool,
    /// Origins to which a browser may be sent after a log-in (SEC 66).
    pub redirect_origins: Vec<String>,
    /// Display names of factors (contract 10.1).
    pub names: FactorNames,
    /// Set where traces are collected.
    pub follow: Option<FollowTrace>,
    /// Whether refused calls are logged at `info`, for developers; otherwise at `debug`.
    pub tell_refusals: bool,
    /// What else the listener serves, to be described with the dialect.
    pub beside: Option<RoutesBeside>,
}

impl Default for DialectOptions {
    fn default() -> Self {
        Self {
            strict_v1_scopes: false,
            strict_v2_scopes: false,
            v2_wrong_otp_200: false,
            hourly_quota: 5_000,
            burst_limit: true,
            call_rate: CallRate::default(),
            trusted_proxies: TrustedProxies::default(),
            tls: false,
            accept_any_subdomain: true,
            redirect_origins: Vec::new(),
            names: FactorNames::default(),
            follow: None,
            tell_refusals: false,
            beside: None,
        }
    }
}

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Dialect(Arc<DialectState>);

/// What a [`Dialect`] is made of.
pub struct DialectState {
    /// The use cases.
    pub engine: Arc<Engine>,
    /// As the operator set them.
    pub options: DialectOptions,
    pub(crate) quota: HourlyQuota,
    pub(crate) rate_limit: ClientRateLimit,
    /// Addresses that show wrong secrets too often (SEC 30).
    pub(crate) wrong_secrets: Strikes,
    /// Every route, in the order by which answers are counted.
    pub(crate) routes: &'static [RouteEntry],
    /// Answers by route and class of status.
    pub requests: Requests,
    pub(crate) origin: Arc<Origin>,
    /// The dialect in its own words.
    pub(crate) described: Described,
    /// Whether a proxy missing from the configuration was warned of.
    pub(crate) proxy_warned: AtomicBool,
}

impl Dialect {
    /// The dialect over an engine, with the routes that its door answers.
    pub(crate) fn with_routes(engine: Arc<Engine>, options: DialectOptions, routes: &'static [RouteEntry]) -> Self {
        let origin = Origin {
            public_url: engine.settings().public_url.clone(),
            trusted_proxies: options.trusted_proxies.clone(),
            tls: options.tls,
        };
        Self(Arc::new(DialectState {
            rate_limit: ClientRateLimit::new(&engine, options.burst_limit.then_some(options.call_rate)),
            engine,
            quota: HourlyQuota::new(options.hourly_quota),
            wrong_secrets: Strikes::wrong_secrets(),
            options,
            requests: Requests::new(routes),
            routes,
            origin: Arc::new(origin),
            described: Described::default(),
            proxy_warned: AtomicBool::new(false),
        }))
    }

    /// The subdomain that a log-in must name; `None` where any is accepted.
    pub(crate) fn required_subdomain(&self) -> Option<&str> {
        (!self.options.accept_any_subdomain).then_some(&self.engine.settings().account)
    }

    /// Reads a list when it is the client's turn, and charges the client for the time it took (SEC 37, contract 1.9): the
    /// cost of a list is known only after it was read.
    pub(crate) async fn list<T>(
        &self,
        client: ClientId,
        read: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, ListError> {
        let turn = self.engine.list_turn(client).await?;
        // Charged on drop: a caller that hangs up pays as well.
        let _bill = Bill { dialect: self, client, turn };
        Ok(read.await?)
    }
}

/// For each so many milliseconds of reading, a list counts as one call more.
const LIST_UNIT: u128 = 5;

struct Bill<'a> {
    dialect: &'a Dialect,
    client: ClientId,
    turn: ListTurn,
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        let calls = self.turn.lasted().as_millis() / LIST_UNIT;
        self.dialect.rate_limit.charge(self.client, u32::try_from(calls).unwrap_or(u32::MAX));
    }
}

impl Deref for Dialect {
    type Target = DialectState;

    fn deref(&self) -> &DialectState {
        &self.0
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialect").field("options", &self.options).finish_non_exhaustive()
    }
}
