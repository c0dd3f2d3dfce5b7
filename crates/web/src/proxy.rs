//! What a proxy in front may tell us, and what `Host` may be used for: the caller's address from trusted peers
//! only (SEC 64), and the base of the links we hand out (ruling 29b).

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The address a request came from.
///
/// `X-Forwarded-For` is read from its end, and only as long as the address reached so far is a trusted proxy: what
/// stands before an untrusted address was written by that address.
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let mut address = peer.to_canonical();
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    for entry in lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b',')) {
        if !is_trusted(address, trusted) {
            break;
        }
        match std::str::from_utf8(entry).ok().and_then(|entry| forwarded_address(entry.trim())) {
            Some(before) => address = before,
            None => break,
        }
    }
    address
}

/// Whether this is the address of a trusted proxy.
pub fn is_trusted(peer: IpAddr, trusted: &[IpAddr]) -> bool {
    trusted.iter().any(|proxy| proxy.to_canonical() == peer.to_canonical())
}

/// Whether a trusted proxy says that the caller came by HTTPS.
pub fn forwarded_https(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> bool {
    let mut protocols = headers.get_all(X_FORWARDED_PROTO).iter();
    is_trusted(peer, trusted)
        && protocols.next().is_some_and(|protocol| protocol.as_bytes().trim_ascii().eq_ignore_ascii_case(b"https"))
        && protocols.next().is_none()
}

/// An address as proxies write it: bare, in brackets, with a port.
fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    bare.parse()
        .or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// The base of the URLs we hand out, without a trailing slash: the configured public URL, else the request's own
/// validated `Host`. A `Host` that is none becomes `localhost`, never part of a link.
pub fn base_url(public_url: Option<&str>, host_header: Option<&str>, https: bool) -> String {
    if let Some(url) = public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let host = host_header.filter(|host| is_host(host)).unwrap_or("localhost");
    format!("{}://{host}", if https { "https" } else { "http" })
}

/// Whether a `Host` value is a name or an address with an optional port, and nothing more.
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

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|proxy| address(proxy)).collect();
        client_ip(address(peer), &headers, &trusted).to_string()
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
    fn the_protocol_too_is_believed_from_trusted_peers_only() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_PROTO, "HTTPS".parse().unwrap());
        assert!(forwarded_https(address("10.0.0.1"), &headers, &[address("10.0.0.1")]));
        assert!(!forwarded_https(address("10.0.0.2"), &headers, &[address("10.0.0.1")]));
        headers.append(X_FORWARDED_PROTO, "https".parse().unwrap());
        assert!(!forwarded_https(address("10.0.0.1"), &headers, &[address("10.0.0.1")]));
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
