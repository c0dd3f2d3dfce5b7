//! Whether a request names this machine in `Host`. A page can rebind its own name to loopback and so reach a loopback
//! listener, but it cannot choose what the browser writes into `Host`.

use axum::http::{HeaderMap, HeaderName, header};

/// A header, if it is text.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host that a request names: without its port, and as it was sent.
pub(crate) fn host(headers: &HeaderMap) -> Option<(&str, &str)> {
    let whole = text(headers, header::HOST)?;
    let name = match whole.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => whole.split(':').next().unwrap_or_default(),
    };
    Some((name, whole))
}

/// Whether `name` is `localhost` or a loopback address.
pub(crate) fn is_here(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a request has no `Origin`, or this one.
pub(crate) fn is_own_page(headers: &HeaderMap, origin: &str) -> bool {
    headers.get(header::ORIGIN).is_none_or(|sent| sent.as_bytes() == origin.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_begins_like_this_machine_is_not_it() {
        let here = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, value.parse().unwrap());
            host(&headers).is_some_and(|(name, _)| is_here(name))
        };
        for name in ["localhost", "LOCALHOST:9090", "127.0.0.1:9090", "127.1.2.3", "[::1]:9090", "[::1]"] {
            assert!(here(name), "{name}");
        }
        for name in
            ["", ":9090", "127.0.0.1.evil.example", "localhost.evil.example:9090", "[::2]", "192.0.2.1", "0.0.0.0"]
        {
            assert!(!here(name), "{name}");
        }
    }
}
