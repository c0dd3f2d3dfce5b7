//! A call as handlers see it: the ids of its path, its query, its body, and its address. Each is read when a handler asks
//! for it, since most handlers ask for little.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use domain::model::time::SECOND;
use domain::{DeviceId, UserId};
use web::peer::Peer;

#[cfg(test)]
use crate::wire::fields;
use crate::wire::fields::Inputs;
use crate::wire::lenient::Body;

#[derive(Debug)]
pub(crate) struct ApiCall {
    head: Parts,
    pub body: Bytes,
    /// What its endpoint reads.
    inputs: &'static Inputs,
    params: Params,
    query: OnceLock<Vec<(String, String)>>,
    peer: Option<Peer>,
    origin: Arc<Origin>,
}

/// What decides the base of links and the callers' addresses.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// The base of links, if it is configured.
    pub(crate) public_url: Option<String>,
    /// Proxies whose `X-Forwarded-*` is believed (SEC 64).
    pub(crate) trusted_proxies: web::proxy::TrustedProxies,
    /// Whether callers reach this server over TLS without a proxy.
    pub(crate) tls: bool,
}

/// The body is not a JSON object within the limits of SEC 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadJson;

impl ApiCall {
    pub(crate) fn new(
        head: Parts,
        body: Bytes,
        inputs: &'static Inputs,
        params: Params,
        peer: Option<Peer>,
        origin: Arc<Origin>,
    ) -> Self {
        Self { head, body, inputs, params, query: OnceLock::new(), peer, origin }
    }

    /// Whether a parameter of the path does not decode to text.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.params.undecodable
    }

    /// A path parameter; empty if the path has none of this name.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.params.get(self.head.uri.path(), name)
    }

    /// The `user_id` of the path, if it is a positive integer.
    pub(crate) fn user_id(&self) -> Option<UserId> {
        positive(self.path("user_id")).map(UserId)
    }

    /// The `device_id` of the path, if it is an integer; 0 means no device (contract 4.5).
    pub(crate) fn device_id(&self) -> Option<DeviceId> {
        let text = self.path("device_id");
        if text == "0" { Some(DeviceId(0)) } else { positive(text).map(DeviceId) }
    }

    /// The query's fields in order, decoded.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        self.query.get_or_init(|| {
            let query = self.head.uri.query();
            query.map(serde_urlencoded::from_str).transpose().ok().flatten().unwrap_or_default()
        })
    }

    /// What its endpoint reads.
    pub(crate) fn inputs(&self) -> &'static Inputs {
        self.inputs
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.inputs.reads_query(name);
        self.fields().iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How long the call asks to be held, in milliseconds: `?wait=SECONDS`, as `10` or `10s`. A value that cannot be read
    /// counts as 0.
    pub(crate) fn wait(&self) -> Option<i64> {
        self.head.uri.query()?;
        let seconds = self.query("wait")?.trim().trim_end_matches('s');
        Some(i64::from(seconds.parse::<u32>().unwrap_or(0)) * SECOND)
    }

    pub(crate) fn method(&self) -> &Method {
        &self.head.method
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The body as a JSON object; an empty one counts as an object without members (contract 1.2).
    pub(crate) fn json(&self) -> Result<Body, BadJson> {
        Ok(Body::parse(&self.body).map_err(|_| BadJson)?.of(self.inputs))
    }

    /// The path, without a slash at its end.
    pub(crate) fn target(&self) -> &str {
        without_slash(self.head.uri.path())
    }

    /// The base of links: the configured public URL, else from the validated `Host` (decision 29b).
    pub(crate) fn base_url(&self) -> String {
        let host = self.head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let https = self.origin.tls
            || web::proxy::forwarded_https(self.socket(), &self.head.headers, &self.origin.trusted_proxies);
        web::proxy::base_url(self.origin.public_url.as_deref(), host, https)
    }

    /// The caller's address, as trusted proxies report it.
    pub(crate) fn peer(&self) -> IpAddr {
        web::proxy::client_ip(self.socket(), &self.head.headers, &self.origin.trusted_proxies)
    }

    /// Whether it came through a trusted proxy.
    pub(crate) fn is_vouched_for(&self) -> bool {
        self.origin.trusted_proxies.contains(self.socket())
    }

    fn socket(&self) -> IpAddr {
        self.peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip())
    }
}

/// A path without the slash at its end: one spelling for every path (contract 1.1).
pub(crate) fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

/// The parameters of a path: their ranges in it, or their text where it had to be decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    ranges: [(&'static str, Range<usize>); MOST],
    decoded: Vec<(&'static str, String)>,
    undecodable: bool,
}

/// Parameters of a path, at most.
const MOST: usize = 2;

impl Params {
    pub(crate) fn of(path: &str, found: &matchit::Params<'static, '_>) -> Self {
        let mut params = Self::default();
        for (ranges, (name, value)) in params.ranges.iter_mut().zip(found.iter()) {
            let start = value.as_ptr().addr() - path.as_ptr().addr();
            *ranges = (name, start..start + value.len());
            if value.contains('%') {
                match decoded(value) {
                    Some(text) => params.decoded.push((name, text)),
                    None => params.undecodable = true,
                }
            }
        }
        params
    }

    fn get<'a>(&'a self, path: &'a str, name: &str) -> &'a str {
        if let Some((_, text)) = self.decoded.iter().find(|(key, _)| *key == name) {
            return text;
        }
        let ranges = self.ranges.iter().find(|(key, _)| *key == name);
        ranges.and_then(|(_, range)| path.get(range.clone())).unwrap_or_default()
    }
}

/// Decodes percent escapes; `None` if the result is not UTF-8. Malformed escapes stay as they are.
fn decoded(text: &str) -> Option<String> {
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push(high << 4 | low);
                at += 3;
            }
            _ => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).ok()
}

/// A positive integer in its only spelling: ASCII digits without sign or leading zero, so that no two texts name the same
/// user (SEC 29). One too large for any id becomes the largest integer, which no user has.
fn positive(text: &str) -> Option<i64> {
    let canonical = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    canonical.then(|| text.parse().unwrap_or(i64::MAX))
}

/// What a list reads, for tests of paging.
#[cfg(test)]
static ANY_LIST: Inputs = Inputs { method: "GET", path: "/api/2/users", query: fields::ANY_PAGE, body: fields::NONE };

#[cfg(test)]
impl ApiCall {
    /// A call without body and parameters, to a server whose links begin with `public_url`.
    pub(crate) fn to(target: &str, public_url: &str) -> Self {
        let (head, ()) = axum::http::Request::get(target).body(()).unwrap().into_parts();
        let origin = Origin {
            public_url: Some(public_url.to_owned()),
            trusted_proxies: web::proxy::TrustedProxies::default(),
            tls: false,
        };
        Self::new(head, Bytes::new(), &ANY_LIST, Params::default(), None, Arc::new(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(positive("42"), Some(42));
        assert_eq!(positive("2147483647"), Some(2_147_483_647));
        assert_eq!(positive("99999999999999999999"), Some(i64::MAX));
        for other in ["", "0", "042", "+42", " 42", "42 ", "-1", "4.2", "٤٢"] {
            assert_eq!(positive(other), None, "{other}");
        }
    }

    #[test]
    fn parameters_are_decoded_once() {
        let mut table = matchit::Router::new();
        table.insert("/u/{user_id}/d/{id}", ()).unwrap();
        let table: &'static matchit::Router<()> = Box::leak(Box::new(table));
        let params = |path: &str| {
            let params = Params::of(path, &table.at(path).unwrap().params);
            let texts = (params.get(path, "user_id").to_owned(), params.get(path, "id").to_owned());
            (!params.undecodable).then_some(texts)
        };
        let two = |user: &str, id: &str| Some((user.to_owned(), id.to_owned()));
        assert_eq!(params("/u/42/d/a-b"), two("42", "a-b"));
        assert_eq!(params("/u/%34%32/d/%25%32%35%zz%"), two("42", "%25%zz%"));
        assert_eq!(params("/u/1/d/%c3%A9"), two("1", "é"));
        assert_eq!(params("/u/1/d/%ff"), None);
    }

    #[test]
    fn one_slash_at_the_end_is_no_part_of_a_path() {
        for (path, expected) in [("/a/", "/a"), ("/a", "/a"), ("/a//", "/a/"), ("/", "/")] {
            assert_eq!(without_slash(path), expected);
        }
    }
}
