//! Calls a webhook: one POST over a new connection, to an address that was judged after resolution (SEC 69).
//!
//! hyper and rustls are used as they are, and not a client that does more: there is no pool, no proxy, no redirect and no
//! second resolution that could reach elsewhere than where this file says. It knows nothing of what it carries.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::model::webhook::{WebhookAnswer, WebhookFault};
use egress::Reach;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::tls;
pub use crate::tls::BadAuthorities;

/// How long a call may take, from resolving the name to the end of the answer.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer's body is read, in bytes. It is ignored, and read only so that the other side can finish.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Addresses of a name that are tried, one after another.
const TRIED: usize = 4;
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
    tls: TlsConnector,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller(…)")
    }
}

/// A URL, taken apart.
struct Target {
    https: bool,
    host: Host,
    port: u16,
    /// For the `Host` header.
    authority: String,
    path: String,
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

impl Target {
    fn of(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let host = url.host()?.to_owned();
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Some(Self { https, host, port: url.port_or_known_default()?, authority, path })
    }

    fn may_call(&self, address: IpAddr, reach: Reach) -> bool {
        if self.https { egress::may_call(address, reach) } else { egress::may_be_plain(address, reach) }
    }

    /// Where it may be reached: resolved here, once, and connected to as it is.
    async fn addresses(&self, reach: Reach) -> Result<Vec<SocketAddr>, WebhookFault> {
        let found: Vec<SocketAddr> = match &self.host {
            Host::Ipv4(address) => vec![SocketAddr::new((*address).into(), self.port)],
            Host::Ipv6(address) => vec![SocketAddr::new((*address).into(), self.port)],
            Host::Domain(name) => tokio::net::lookup_host((name.as_str(), self.port))
                .await
                .map_err(|_| WebhookFault::Unresolved)?
                .collect(),
        };
        if found.is_empty() {
            return Err(WebhookFault::Unresolved);
        }
        let may: Vec<_> = found.into_iter().filter(|address| self.may_call(address.ip(), reach)).take(TRIED).collect();
        if may.is_empty() { Err(WebhookFault::Forbidden) } else { Ok(may) }
    }

    async fn connect(&self, reach: Reach) -> Result<TcpStream, WebhookFault> {
        for address in self.addresses(reach).await? {
            if let Ok(stream) = TcpStream::connect(address).await {
                return Ok(stream);
            }
        }
        Err(WebhookFault::Unreachable)
    }

    fn server_name(&self) -> Result<ServerName<'static>, WebhookFault> {
        let name = match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        ServerName::try_from(name).map_err(|_| WebhookFault::Tls)
    }
}

impl Caller {
    /// Trusts only the authorities in `ca_file` (PEM); without a file, the public ones.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, BadAuthorities> {
        let roots = ca_file.map_or_else(|| Ok(tls::public()), tls::of_file)?;
        Ok(Self { tls: TlsConnector::from(Arc::new(tls::client(roots)?)) })
    }

    /// Makes a call. A status that came counts, whatever becomes of the body behind it.
    pub async fn post(&self, call: Call) -> WebhookAnswer {
        let mut status = None;
        let ended = timeout(TIMEOUT, self.converse(call, &mut status)).await;
        match (status, ended) {
            (Some(status), _) => WebhookAnswer::Status(status),
            (None, Ok(Err(fault))) => WebhookAnswer::Fault(fault),
            (None, Ok(Ok(()))) => WebhookAnswer::Fault(WebhookFault::Broken),
            (None, Err(_)) => WebhookAnswer::Fault(WebhookFault::Late),
        }
    }

    async fn converse(&self, call: Call, status: &mut Option<u16>) -> Result<(), WebhookFault> {
        let url = Url::parse(&call.url).map_err(|_| WebhookFault::Unusable)?;
        let target = Target::of(&url).ok_or(WebhookFault::Unusable)?;
        let request = request(&target, call.headers, call.body).ok_or(WebhookFault::Unusable)?;
        let stream = target.connect(call.reach).await?;
        if target.https {
            let stream = self.tls.connect(target.server_name()?, stream).await.map_err(|_| WebhookFault::Tls)?;
            exchange(stream, request, status).await
        } else {
            exchange(stream, request, status).await
        }
    }
}

fn request(target: &Target, headers: Vec<(String, String)>, body: Bytes) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::builder().method(Method::POST).uri(&target.path).body(Full::new(body)).ok()?;
    let map = request.headers_mut();
    map.insert(HOST, HeaderValue::from_str(&target.authority).ok()?);
    map.insert(USER_AGENT, HeaderValue::from_static("Countersign-Webhooks/1"));
    map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in headers {
        map.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    Some(request)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
    status: &mut Option<u16>,
) -> Result<(), WebhookFault> {
    let broken = |_| WebhookFault::Broken;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let asking = async {
        let mut response = sender.send_request(request).await.map_err(broken)?;
        *status = Some(response.status().as_u16());
        let mut read = 0;
        while read < LONGEST_ANSWER
            && let Some(Ok(frame)) = response.body_mut().frame().await
        {
            read += frame.data_ref().map_or(0, Bytes::len);
        }
        Ok(())
    };
    let (mut asking, mut connection) = (pin!(asking), pin!(connection));
    let mut closed = false;
    loop {
        tokio::select! {
            biased;
            answered = &mut asking => return answered,
            _ = &mut connection, if !closed => closed = true,
        }
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
