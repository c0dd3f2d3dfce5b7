//! Trusted proxies and `Host`: the caller's address, which only trusted peers may forward (SEC 64), and the base of the
//! links that we send (decision 29b).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether a request says for whom it was forwarded.
#[must_use]
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR)
}

/// A configured proxy: an address, a network, or a host name, which is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TrustedProxy {
    /// `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`.
    Network(IpNet),
    /// `proxy.internal`, for example the name of a container.
    Name(String),
}

/// Neither an address, nor a network, nor a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proxy is written as an address (10.0.0.1), a network (10.0.0.0/8) or a host name (proxy.internal)")]
pub struct BadProxy;

impl FromStr for TrustedProxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(address.to_canonical().into()));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        // A name whose last label has only digits is a mistyped address.
        let labels = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let is_name = is_host(text) && !text.contains([':', '[']) && !labels.bytes().all(|byte| byte.is_ascii_digit());
        if is_name { Ok(Self::Name(text.to_owned())) } else { Err(BadProxy) }
    }
}

impl TryFrom<String> for TrustedProxy {
    type Error = BadProxy;

    fn try_from(text: String) -> Result<Self, BadProxy> {
        text.parse()
    }
}

impl From<TrustedProxy> for String {
    fn from(proxy: TrustedProxy) -> Self {
        proxy.to_string()
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => network.addr().fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The proxies whose `X-Forwarded-*` is trusted (SEC 64). Cheap to clone; all clones share what [`Self::look_up`] finds.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<Proxies>);

#[derive(Debug, Default)]
struct Proxies {
    networks: Vec<IpNet>,
    names: Vec<Named>,
}

#[derive(Debug)]
struct Named {
    name: String,
    addresses: RwLock<Vec<IpAddr>>,
    /// Failed look-ups in a row.
    failures: AtomicU32,
}

/// Number of failures after which a name's last addresses are dropped.
const FORGOTTEN_AFTER: u32 = 10;

impl TrustedProxies {
    /// These proxies. Names have no addresses before the first look-up.
    pub fn new(proxies: &[TrustedProxy]) -> Self {
        let mut all = Proxies::default();
        for proxy in proxies {
            match proxy {
                TrustedProxy::Network(network) => all.networks.push(*network),
                TrustedProxy::Name(name) => {
                    all.names.push(Named {
                        name: name.clone(),
                        addresses: RwLock::default(),
                        failures: AtomicU32::new(0),
                    });
                }
            }
        }
        Self(Arc::new(all))
    }

    /// Number of addresses, networks and names.
    pub fn len(&self) -> usize {
        self.0.networks.len() + self.0.names.len()
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a proxy is given by name, so that it has to be resolved again and again.
    pub fn has_names(&self) -> bool {
        !self.0.names.is_empty()
    }

    /// Whether this is the address of a trusted proxy.
    pub fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.networks.iter().any(|network| network.contains(&peer))
            || self
                .0
                .names
                .iter()
                .any(|named| named.addresses.read().unwrap_or_else(PoisonError::into_inner).contains(&peer))
    }

    /// Resolves the names. After a failure a name keeps its last addresses for a few rounds, and then has none, so that
    /// no other host is trusted instead.
    pub async fn look_up(&self) {
        for named in &self.0.names {
            let found = match tokio::net::lookup_host((named.name.as_str(), 0)).await {
                Ok(found) => {
                    named.failures.store(0, Ordering::Relaxed);
                    found.map(|address| address.ip().to_canonical()).collect()
                }
                Err(error) => {
                    tracing::warn!(proxy = named.name, %error, "a trusted proxy's name cannot be looked up; check --trusted-proxy");
                    if named.failures.fetch_add(1, Ordering::Relaxed) + 1 < FORGOTTEN_AFTER {
                        continue;
                    }
                    Vec::new()
                }
            };
            *named.addresses.write().unwrap_or_else(PoisonError::into_inner) = found;
        }
    }
}

/// The address a request came from.
///
/// `X-Forwarded-For` is read from its end, as long as the address reached is a trusted proxy: entries before an untrusted
/// address were written by that address.
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let mut address = peer.to_canonical();
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    for entry in lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b',')) {
        if !trusted.contains(address) {
            break;
        }
        match std::str::from_utf8(entry).ok().and_then(|entry| forwarded_address(entry.trim())) {
            Some(before) => address = before,
            None => break,
        }
    }
    address
}

/// Whether a trusted proxy says that the caller used HTTPS. Of several protocols the first counts: the caller used it to
/// reach the first proxy.
pub fn forwarded_https(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> bool {
    let first =
        headers.get(X_FORWARDED_PROTO).and_then(|protocols| protocols.as_bytes().split(|&byte| byte == b',').next());
    trusted.contains(peer) && first.is_some_and(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"https"))
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    bare.parse()
        .or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// The base of the URLs that we send, without a trailing slash: the configured public URL, else the request's validated
/// `Host`. An invalid `Host` becomes `localhost`.
pub fn base_url(public_url: Option<&str>, host_header: Option<&str>, https: bool) -> String {
    if let Some(url) = public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let host = host_header.filter(|host| is_host(host)).unwrap_or("localhost");
    format!("{}://{host}", if https { "https" } else { "http" })
}

/// Whether RFC 9112 3.2 allows this `Host` in a request. It allows more than we use in links.
pub(crate) fn may_be_host(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((_, port)) = rest.split_once(']') else { return false };
        return is_host(host) || (port == ":" && is_host(host.trim_end_matches(':')));
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let sub_delimiter =
        |byte| matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
    name.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%') || sub_delimiter(byte)
    }) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a `Host` value is a name or an address with an optional port.
pub fn is_host(host: &str) -> bool {
    let (name, port) = if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        ("v6", port.strip_prefix(':').or(if port.is_empty() { Some("0") } else { None }))
    } else {
        match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("0")),
        }
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let named = (1..=253).contains(&name.len())
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        });
    let ported = port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    named && ported
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies(named: &[&str]) -> TrustedProxies {
        TrustedProxies::new(&named.iter().map(|proxy| proxy.parse().unwrap()).collect::<Vec<_>>())
    }

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        client_ip(address(peer), &headers, &proxies(trusted)).to_string()
    }

    #[test]
    fn an_untrusted_peer_speaks_only_for_itself() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &["10.0.0.1"]), "203.0.113.9");
    }

    #[test]
    fn a_trusted_peer_names_the_caller_and_the_caller_no_other() {
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1", "10.0.0.2"], &["10.0.0.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &[], &["10.0.0.1"]), "10.0.0.1");
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (entry, expected) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("unknown", "10.0.0.1"),
            ("_hidden", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", &[entry], &["10.0.0.1"]), expected, "{entry:?}");
        }
    }

    #[test]
    fn a_network_may_be_trusted() {
        assert_eq!(seen("10.3.2.1", &["1.1.1.1, 198.51.100.1, 10.200.0.9"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(seen("11.0.0.1", &["198.51.100.1"], &["10.0.0.0/8"]), "11.0.0.1");
        assert_eq!(seen("2001:db8::7", &["198.51.100.1"], &["2001:db8::/32"]), "198.51.100.1");
        assert_eq!(seen("::ffff:10.3.2.1", &["198.51.100.1"], &["10.0.0.5/8"]), "198.51.100.1");
        for bad in ["10.0.0.0/33", "10.0.0", "10.0.0.1:80", "", "a b", "[::1]", "10.0.0.256", "a/8"] {
            assert_eq!(bad.parse::<TrustedProxy>(), Err(BadProxy), "{bad:?}");
        }
        for shown in ["10.0.0.1", "10.0.0.0/8", "2001:db8::/32", "proxy.internal"] {
            assert_eq!(shown.parse::<TrustedProxy>().unwrap().to_string(), shown);
        }
    }

    #[tokio::test]
    async fn a_name_is_trusted_once_it_is_looked_up_and_as_long_as_it_has_addresses() {
        let named = proxies(&["localhost", "no-such-proxy.invalid"]);
        assert!(named.has_names() && !named.contains(address("127.0.0.1")));
        named.look_up().await;
        assert!(named.contains(address("127.0.0.1")) || named.contains(address("::1")));
        assert!(!named.contains(address("10.0.0.1")));
    }

    #[test]
    fn the_protocol_too_is_believed_from_trusted_peers_only() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_PROTO, "HTTPS".parse().unwrap());
        assert!(forwarded_https(address("10.0.0.1"), &headers, &proxies(&["10.0.0.1"])));
        assert!(!forwarded_https(address("10.0.0.2"), &headers, &proxies(&["10.0.0.1"])));
    }

    #[test]
    fn the_first_protocol_counts() {
        for (lines, https) in [
            (&["https,http"][..], true),
            (&["https, http"], true),
            (&["https", "http"], true),
            (&["http,https"], false),
            (&["http", "https"], false),
            (&["", "https"], false),
            (&[" https "], true),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_PROTO, line.parse().unwrap());
            }
            assert_eq!(forwarded_https(address("10.0.0.1"), &headers, &proxies(&["10.0.0.1"])), https, "{lines:?}");
        }
    }

    #[test]
    fn links_come_from_the_public_url_or_a_valid_host() {
        assert_eq!(base_url(Some("https://mfa.example/"), Some("evil.example"), false), "https://mfa.example");
        assert_eq!(base_url(None, Some("127.0.0.1:8080"), false), "http://127.0.0.1:8080");
        assert_eq!(base_url(None, Some("[::1]:8080"), true), "https://[::1]:8080");
        assert_eq!(base_url(None, Some("a/b"), false), "http://localhost");
        assert_eq!(base_url(None, None, true), "https://localhost");
    }

    #[test]
    fn a_host_is_a_name_and_a_port_and_nothing_more() {
        for host in ["a", "a.b", "A-1.example.", "my_service:80", "127.0.0.1", "[::1]", "[2001:db8::1]:65535", "a:0"] {
            assert!(is_host(host), "{host:?}");
        }
        let long = "a".repeat(64);
        for host in [
            "", ".", "a..b", "-a", "a-", "a:", "a:x", "a:65536", "a:+1", "a:1:2", "a b", "a/b", "a@b", "a?b", "a#b",
            "a\\b", "[::1", "[x]", "[::1]x", "[::1]:", "::1", "\u{e9}", "a%41", "a,b", &long,
        ] {
            assert!(!is_host(host), "{host:?}");
        }
    }
}
