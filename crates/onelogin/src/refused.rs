//! What the log says of calls that are refused and of proxies that nobody has named. Otherwise a developer or an operator
//! sees an answer and never learns why. What was sent is never repeated (SEC 48): the words here are ours.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use domain::ClientId;
use web::proxy::TrustedProxies;

/// Why a call was refused. It travels beside the answer and is not part of it.
#[derive(Debug, Clone)]
struct Why(String);

/// Whose call it was. It travels beside the answer and is not part of it.
#[derive(Debug, Clone, Copy)]
struct Whose(ClientId);

/// The answer with the reason beside it, in place of a vaguer one.
pub(crate) fn because(mut answer: Response, why: &str) -> Response {
    answer.extensions_mut().insert(Why(why.to_owned()));
    answer
}

/// The answer with its client beside it, if it is a refusal.
pub(crate) fn of(client: ClientId, mut answer: Response) -> Response {
    if answer.status().is_client_error() {
        answer.extensions_mut().insert(Whose(client));
    }
    answer
}

/// Writes the line about a refusal. Faults of ours are logged where they happen.
pub(crate) fn log(aloud: bool, method: &Method, route: Option<&str>, answer: &Response) {
    let status = answer.status();
    if !status.is_client_error() || !(aloud || tracing::enabled!(tracing::Level::DEBUG)) {
        return;
    }
    let reason = answer.extensions().get::<Why>().map_or_else(|| plain(status), |why| why.0.as_str());
    let client = answer.extensions().get::<Whose>().map(|whose| whose.0.0);
    let (route, status) = (route.unwrap_or("none"), status.as_u16());
    if aloud {
        tracing::info!(%method, route, status, reason, client, "a call was refused");
    } else {
        tracing::debug!(%method, route, status, reason, client, "a call was refused");
    }
}

fn plain(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("refused")
}

/// Warns once of an address that forwards for others and that nobody has named as a proxy: to us all its callers are one.
pub(crate) fn warn_of_proxy(warned: &AtomicBool, peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) {
    if headers.contains_key("x-forwarded-for") && !trusted.contains(peer) && !warned.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            %peer,
            "a request says X-Forwarded-For, and its sender is no trusted proxy: if it is yours, name it with --trusted-proxy \
             (trusted_proxy), or limits take all its callers for one"
        );
    }
}
