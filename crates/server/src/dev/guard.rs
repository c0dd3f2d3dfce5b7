//! Who may use the dev endpoints: callers on this machine, and pages of this server only. A page from elsewhere that
//! a developer has open must not read their codes or accept their pushes (rulings 4).

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses a foreign `Host` or `Origin`.
pub(super) async fn local_only(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "the dev endpoints answer only this machine: use 127.0.0.1 or localhost as host\n")
            .into_response()
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let own = headers
        .get(header::ORIGIN)
        .is_none_or(|origin| origin.to_str().is_ok_and(|origin| origin == format!("http://{host}")));
    loopback && own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_this_machine_and_its_own_pages_pass() {
        assert!(is_local(&headers("127.0.0.1:8080", None)));
        assert!(is_local(&headers("localhost:8080", Some("http://localhost:8080"))));
        assert!(is_local(&headers("[::1]:8080", None)));
        assert!(!is_local(&headers("evil.example:8080", None)));
        assert!(!is_local(&headers("127.0.0.1:8080", Some("http://evil.example"))));
        assert!(!is_local(&headers("127.0.0.1:8080", Some("null"))));
        assert!(!is_local(&headers("127.0.0.1.evil.example", None)));
    }
}
