//! Refuses requests before any handler: ambiguous heads, methods that we never serve, bodies declared too large.
//!
//! This module checks parsed requests; `screen` checks their bytes. The dialect decides how a refusal looks, through a
//! [`RenderRefusal`]. Method-override headers are ignored everywhere: only the method of the request line counts (SEC 63).

use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{Method, StatusCode, Version};

use crate::limits::Limits;
use crate::proxy;
use crate::screen::Refused;

/// Makes the response of a refusal from status, message and the request's path.
pub type RenderRefusal = fn(StatusCode, &str, &str) -> Response;

/// The plain refusal: the message as text.
pub fn plain(status: StatusCode, message: &str, _path: &str) -> Response {
    (status, message.to_owned()).into_response()
}

/// Checks the head of a request, whose body may have so many bytes.
pub(crate) fn check(parts: &Parts, limits: &Limits, body_bytes: usize) -> Result<(), Refused> {
    const fn refused(status: StatusCode, message: &'static str) -> Refused {
        Refused { status, message, close: false }
    }
    // An ambiguous request also ends its connection (SEC 62).
    const fn unclear(message: &'static str) -> Refused {
        Refused { status: StatusCode::BAD_REQUEST, message, close: true }
    }

    if parts.method == Method::TRACE || parts.method == Method::CONNECT {
        return Err(refused(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed"));
    }
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > limits.target_bytes) {
        return Err(refused(StatusCode::URI_TOO_LONG, "The request target is too long"));
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        // HTTP/1.0 has no `Host` (RFC 9112 3.2), and some health checks use it.
        (None, _) if parts.version < Version::HTTP_11 => {}
        (None, _) => return Err(unclear("The Host header is missing")),
        (Some(_), Some(_)) => return Err(unclear("The Host header is repeated")),
        (Some(host), None) => {
            if !host.to_str().is_ok_and(proxy::may_be_host) {
                return Err(unclear("The Host header is not valid"));
            }
        }
    }
    if parts.headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
        return Err(unclear("The Authorization header is repeated"));
    }
    if let Some(length) = parts.headers.get(CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|length| length.parse::<u64>().ok());
        match length {
            None => return Err(refused(StatusCode::BAD_REQUEST, "Content-Length is not a number")),
            Some(length) if length > body_bytes as u64 => {
                return Err(Refused {
                    status: StatusCode::PAYLOAD_TOO_LARGE,
                    message: "The request body is too large",
                    close: true,
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn status(request: http::request::Builder) -> Option<u16> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, &Limits::default(), 64 * 1024).err().map(|refused| refused.status.as_u16())
    }

    fn post() -> http::request::Builder {
        Request::post("/api/1/x").header("host", "mfa.example")
    }

    #[test]
    fn an_ordinary_request_passes() {
        assert_eq!(status(post().header("authorization", "bearer x").header("content-length", "65536")), None);
    }

    #[test]
    fn a_host_comes_once_and_well_formed() {
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let with = |host: &str| status(Request::get("/").version(version).header("host", host));
            assert_eq!(status(post().version(version).header("host", "mfa.example")), Some(400), "repeated");
            for host in ["a b", "user@x", "a/b", "a:x", "[::1", "a?b"] {
                assert_eq!(with(host), Some(400), "{host}");
            }
            for host in ["", "mfa.example", "[::1]:8080", "mfa.example:", "a%41", "a,b"] {
                assert_eq!(with(host), None, "{host}");
            }
        }
    }

    #[test]
    fn only_http_1_1_needs_a_host() {
        for method in ["GET", "HEAD", "OPTIONS", "POST"] {
            let bare = |version| status(Request::builder().method(method).uri("/livez").version(version));
            assert_eq!(bare(Version::HTTP_10), None, "{method}");
            assert_eq!(bare(Version::HTTP_11), Some(400), "{method}");
        }
    }

    #[test]
    fn repeated_authorization_is_refused() {
        assert_eq!(status(post().header("authorization", "bearer x").header("authorization", "bearer x")), Some(400));
    }

    #[test]
    fn trace_and_connect_are_refused_and_an_override_changes_nothing() {
        assert_eq!(status(Request::builder().method("TRACE").uri("/").header("host", "x")), Some(405));
        assert_eq!(status(Request::builder().method("CONNECT").uri("/").header("host", "x")), Some(405));
        assert_eq!(status(post().header("x-http-method-override", "TRACE")), None);
    }

    #[test]
    fn a_declared_length_over_the_limit_is_refused() {
        assert_eq!(status(post().header("content-length", "65537")), Some(413));
        assert_eq!(status(post().header("content-length", "1e3")), Some(400));
    }

    #[test]
    fn a_long_target_is_refused() {
        let uri = format!("/?{}", "a".repeat(8 * 1024));
        assert_eq!(status(Request::get(uri).header("host", "x")), Some(414));
    }
}
