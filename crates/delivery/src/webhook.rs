//! Calls a webhook: one POST over a new connection, to an address that was judged after resolution (SEC 69). It knows nothing
//! of what it carries.

use std::net::IpAddr;
use std::path::Path;

use bytes::Bytes;
use domain::model::outbound::OutboundFault;
use domain::model::webhook::WebhookAnswer;
use egress::Reach;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::{Host, Url};

pub use crate::outbound::TIMEOUT;
use crate::outbound::{Outbound, OutboundCall, Target};
use crate::tls;
pub use crate::tls::BadAuthorities;

/// Longest URL, in bytes.
const LONGEST_URL: usize = 2_048;

/// What a call is.
#[derive(Debug)]
pub struct Call {
    /// Where it goes.
    pub url: String,
    /// How far that may be.
    pub reach: Reach,
    /// Its headers, besides the connection's.
    pub headers: Vec<(String, String)>,
    /// What it carries: JSON.
    pub body: Bytes,
}

/// Makes calls to webhooks, with the authorities that it trusts.
#[derive(Clone)]
pub struct Caller {
    outbound: Outbound,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller(…)")
    }
}

/// A webhook's URL as it is called and to be kept, or what is wrong with it: what a list shows must be what is meant by
/// it. Where it leads is judged at each call.
pub fn checked_url(url: &str, allow_private: bool) -> Result<String, &'static str> {
    // Parsers take the first two away, and the third for a slash.
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("a webhook's address has no spaces, control characters or backslashes");
    }
    let parsed = Url::parse(url).ok().and_then(|url| Some((Target::of(&url)?, url)));
    let Some((target, mut url)) = parsed.filter(|(_, url)| url.as_str().len() <= LONGEST_URL) else {
        return Err("a webhook's address looks like https://siem.example.com/events, without a user name or password");
    };
    if target.port == 0 {
        return Err("nothing can be reached at port 0");
    }
    if !target.https && !allow_private {
        return Err("a webhook's address begins with https://; plain http is for loopback only, with --allow-private");
    }
    let reach = if allow_private { Reach::Private } else { Reach::Public };
    let address = match target.host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    if address.is_some_and(|address| !target.may_call(address, reach)) {
        return Err("webhooks go to public addresses; with --allow-private, to private ones and loopback too");
    }
    // It is never sent.
    url.set_fragment(None);
    Ok(url.into())
}

/// A webhook's URL for people to see: the query may hold a token.
pub fn shown_url(url: &str) -> String {
    const HIDDEN: &str = "***";
    let Ok(mut url) = Url::parse(url) else { return HIDDEN.to_owned() };
    let hidden = |field: &str| match field.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => HIDDEN.to_owned(),
    };
    let query = url.query().map(|query| query.split('&').map(hidden).collect::<Vec<_>>().join("&"));
    url.set_query(query.as_deref());
    // Nowadays refused; both fail only where there can be none.
    if !url.username().is_empty() || url.password().is_some() {
        let _ = url.set_username(HIDDEN).and_then(|()| url.set_password(None));
    }
    url.into()
}

impl Caller {
    /// Trusts only the authorities in `ca_file` (PEM); without a file, the public ones.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, BadAuthorities> {
        let roots = ca_file.map_or_else(|| Ok(tls::public()), tls::of_file)?;
        Ok(Self { outbound: Outbound::trusting(roots)? })
    }

    /// Makes a call. A status that came counts, whatever becomes of the body behind it.
    pub async fn post(&self, call: Call) -> WebhookAnswer {
        let Some(headers) = headers(call.headers) else { return WebhookAnswer::Fault(OutboundFault::Unusable) };
        let call = OutboundCall { url: &call.url, reach: call.reach, headers, body: call.body };
        match self.outbound.post(call).await {
            Ok(status) => WebhookAnswer::Status(status.as_u16()),
            Err(fault) => WebhookAnswer::Fault(fault),
        }
    }
}

fn headers(own: Vec<(String, String)>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static("Countersign-Webhooks/1"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in own {
        headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    Some(headers)
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
