//! The OneLogin dialect: the words of the MFA API, versions 1 and 2, and nothing that decides.
//!
//! [`routes`] says which path is answered by which handler and what stands before it. A handler is one file: it reads
//! the call, asks the engine, and writes the answer from a wire type, field by field. The wire errors of each version
//! are one exhaustive `match`, so that a new failure of the engine cannot go unnamed.

pub mod access;
pub mod bursts;
pub mod call;
pub mod catalogue;
pub mod cost;
pub mod credentials;
pub mod envelope;
pub mod error;
pub mod lenient;
pub mod lists;
pub mod login;
pub mod names;
pub mod openapi;
pub mod paging;
pub mod quota;
mod refused;
pub mod requests;
pub mod routes;
pub mod saml;
pub mod token;
pub mod user_filter;
pub mod user_patch;
pub mod user_wire;
pub mod v1;
pub mod v2;
pub mod webhook;
pub mod wire_time;

use std::ops::Deref;
use std::sync::Arc;

use domain::CallRate;
use engine::Engine;
use web::limit::Strikes;
use web::proxy::TrustedProxies;

pub use envelope::refusal;
pub use names::Names;
pub use routes::{ROUTES, RouteEntry, door};

/// Joins a request's span to the trace that its caller's headers name.
pub type Follow = fn(&tracing::Span, &axum::http::HeaderMap);

/// What an operator sets for this dialect.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct Options {
    /// Whether v1 trigger and verify need a scope that manages users (contract 4.4).
    pub strict_v1_scopes: bool,
    /// Whether MFA v2 needs `Manage All` (contract 1.5).
    pub strict_v2_scopes: bool,
    /// Whether a wrong code at PUT registrations is answered 200 instead of 401 (rulings 29).
    pub v2_wrong_otp_200: bool,
    /// v1 calls an hour for the whole account; 0 enforces nothing (contract 1.8).
    pub hourly_quota: u64,
    /// Whether one client's calls are kept to a rate (SEC 37).
    pub burst_limit: bool,
    /// That rate.
    pub call_rate: CallRate,
    /// Proxies whose `X-Forwarded-*` is believed (SEC 64).
    pub trusted_proxies: TrustedProxies,
    /// Whether callers reach this server over TLS without a proxy.
    pub tls: bool,
    /// Whether any `subdomain` is taken for ours (contract 5.1).
    pub accept_any_subdomain: bool,
    /// Origins to which a browser may be sent after a log-in (SEC 66).
    pub redirect_origins: Vec<String>,
    /// What factors are called for people (contract 10.1).
    pub names: Names,
    /// What joins a request to its caller's trace, where traces are collected.
    pub follow: Option<Follow>,
    /// Whether refused calls are logged for whoever develops against this server; otherwise only a fine log has them.
    pub tell_refusals: bool,
}

impl Default for Options {
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
            names: Names::default(),
            follow: None,
            tell_refusals: false,
        }
    }
}

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// The use cases.
    pub engine: Arc<Engine>,
    /// What the operator set.
    pub options: Options,
    /// The hourly quota of v1.
    pub quota: quota::Quota,
    /// The rate of each client.
    pub bursts: bursts::Bursts,
    /// Addresses that show wrong secrets too often (SEC 30).
    pub wrong_secrets: Strikes,
    /// What was answered.
    pub requests: requests::Requests,
    origin: Arc<call::Origin>,
    /// Whether an unnamed proxy was warned of.
    proxy_warned: std::sync::atomic::AtomicBool,
}

impl App {
    /// The dialect over an engine.
    pub fn new(engine: Arc<Engine>, options: Options) -> Self {
        let origin = call::Origin {
            public_url: engine.settings().public_url.clone(),
            trusted_proxies: options.trusted_proxies.clone(),
            tls: options.tls,
        };
        Self(Arc::new(Parts {
            bursts: bursts::Bursts::new(&engine, options.burst_limit.then_some(options.call_rate)),
            engine,
            quota: quota::Quota::new(options.hourly_quota),
            wrong_secrets: Strikes::wrong_secrets(),
            options,
            requests: requests::Requests::new(routes::names()),
            origin: Arc::new(origin),
            proxy_warned: std::sync::atomic::AtomicBool::new(false),
        }))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("options", &self.options).finish_non_exhaustive()
    }
}
