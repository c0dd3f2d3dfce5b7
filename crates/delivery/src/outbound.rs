//! Calls an address that a caller or a browser chose: one POST over a new connection, to an address that was judged after
//! resolution (SEC 69).
//!
//! hyper and rustls are used as they are, and not a client that does more: there is no pool, no proxy, no redirect and no
//! second resolution that could reach elsewhere than where this file says. It knows nothing of what it carries.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::model::outbound::OutboundFault;
use egress::Reach;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::tls::{self, BadAuthorities};

/// How long a call may take, from resolving the name to the end of the answer.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer's body is read, in bytes. It is ignored, and read only so that the other side can finish.
pub(crate) const LONGEST_ANSWER: usize = 64 * 1024;
/// Addresses of a name that are tried, one after another.
const TRIED: usize = 4;

/// What is posted.
pub(crate) struct OutboundCall<'a> {
    pub(crate) url: &'a str,
    /// How far it may go.
    pub(crate) reach: Reach,
    /// Its headers, besides the connection's.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Makes such calls, with the authorities that it trusts.
#[derive(Clone)]
pub(crate) struct Outbound {
    tls: TlsConnector,
}

/// A URL, taken apart.
pub(crate) struct Target {
    pub(crate) https: bool,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// For the `Host` header.
    authority: String,
    path: String,
}

impl Target {
    /// `None` if this is no address over HTTP, or one with a user name.
    pub(crate) fn of(url: &Url) -> Option<Self> {
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

    pub(crate) fn may_call(&self, address: IpAddr, reach: Reach) -> bool {
        if self.https { egress::may_call(address, reach) } else { egress::may_be_plain(address, reach) }
    }

    /// Where it may be reached: resolved here, once, and connected to as it is.
    async fn addresses(&self, reach: Reach) -> Result<Vec<SocketAddr>, OutboundFault> {
        let found: Vec<SocketAddr> = match &self.host {
            Host::Ipv4(address) => vec![SocketAddr::new((*address).into(), self.port)],
            Host::Ipv6(address) => vec![SocketAddr::new((*address).into(), self.port)],
            Host::Domain(name) => tokio::net::lookup_host((name.as_str(), self.port))
                .await
                .map_err(|_| OutboundFault::Unresolved)?
                .collect(),
        };
        if found.is_empty() {
            return Err(OutboundFault::Unresolved);
        }
        let may: Vec<_> = found.into_iter().filter(|address| self.may_call(address.ip(), reach)).take(TRIED).collect();
        if may.is_empty() { Err(OutboundFault::Forbidden) } else { Ok(may) }
    }

    async fn connect(&self, reach: Reach) -> Result<TcpStream, OutboundFault> {
        for address in self.addresses(reach).await? {
            if let Ok(stream) = TcpStream::connect(address).await {
                return Ok(stream);
            }
        }
        Err(OutboundFault::Unreachable)
    }

    fn server_name(&self) -> Result<ServerName<'static>, OutboundFault> {
        let name = match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        ServerName::try_from(name).map_err(|_| OutboundFault::Tls)
    }
}

impl Outbound {
    /// Trusts these authorities and no others.
    pub(crate) fn trusting(roots: RootCertStore) -> Result<Self, BadAuthorities> {
        Ok(Self { tls: TlsConnector::from(Arc::new(tls::client(roots)?)) })
    }

    /// Makes a call. The status of an answer counts, whatever becomes of the body behind it.
    pub(crate) async fn post(&self, call: OutboundCall<'_>) -> Result<StatusCode, OutboundFault> {
        let mut answer = None;
        let ended = timeout(TIMEOUT, self.converse(call, &mut answer)).await;
        match (answer, ended) {
            (Some(answer), _) => Ok(answer),
            (None, Ok(Err(fault))) => Err(fault),
            (None, Ok(Ok(()))) => Err(OutboundFault::Broken),
            (None, Err(_)) => Err(OutboundFault::Late),
        }
    }

    async fn converse(&self, call: OutboundCall<'_>, answer: &mut Option<StatusCode>) -> Result<(), OutboundFault> {
        let url = Url::parse(call.url).map_err(|_| OutboundFault::Unusable)?;
        let target = Target::of(&url).ok_or(OutboundFault::Unusable)?;
        let request = request(&target, call.headers, call.body).ok_or(OutboundFault::Unusable)?;
        let stream = target.connect(call.reach).await?;
        if target.https {
            let stream = self.tls.connect(target.server_name()?, stream).await.map_err(|_| OutboundFault::Tls)?;
            exchange(stream, request, answer).await
        } else {
            exchange(stream, request, answer).await
        }
    }
}

fn request(target: &Target, headers: HeaderMap, body: Bytes) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::builder().method(Method::POST).uri(&target.path).body(Full::new(body)).ok()?;
    *request.headers_mut() = headers;
    request.headers_mut().insert(HOST, HeaderValue::from_str(&target.authority).ok()?);
    Some(request)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
    answer: &mut Option<StatusCode>,
) -> Result<(), OutboundFault> {
    let broken = |_| OutboundFault::Broken;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let asking = async {
        let mut response = sender.send_request(request).await.map_err(broken)?;
        *answer = Some(response.status());
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
