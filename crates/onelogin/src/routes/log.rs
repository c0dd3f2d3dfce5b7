//! Log lines about refused calls and about proxies missing from the configuration. Without them a developer or an
//! operator sees an answer and never learns why. They never repeat what was sent (SEC 48).

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use web::proxy::{TrustedProxies, is_forwarded};

use crate::wire::reason;

/// Logs a refusal, at `info` or `debug`. Internal errors are logged where they happen.
pub(super) fn refusal(at_info: bool, method: &Method, route: Option<&str>, answer: &Response) {
    let status = answer.status();
    if !status.is_client_error() || !(at_info || tracing::enabled!(tracing::Level::DEBUG)) {
        return;
    }
    let reason = reason::of(answer).unwrap_or_else(|| plain(status));
    let client = reason::client_of(answer).map(|client| client.0);
    let (route, status) = (route.unwrap_or("none"), status.as_u16());
    if at_info {
        tracing::info!(%method, route, status, reason, client, "a call was refused");
    } else {
        tracing::debug!(%method, route, status, reason, client, "a call was refused");
    }
}

fn plain(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("refused")
}

/// Warns once of an address that sends `X-Forwarded-For` and is not a trusted proxy: limits count all its callers as one.
pub(super) fn warn_of_proxy(warned: &AtomicBool, peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) {
    if is_forwarded(headers) && !trusted.contains(peer) && !warned.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            %peer,
            "a request says X-Forwarded-For, and its sender is no trusted proxy: if it is yours, name it with --trusted-proxy \
             (trusted_proxy), or limits take all its callers for one"
        );
    }
}
