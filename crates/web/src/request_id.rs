//! The id of a request, in every response and in every log line about it, and the headers of all responses (contract
//! 1.8, SEC 51).
//!
//! A fresh id is unique in the process and opaque. It grants nothing, so it needs no randomness: a random prefix of the
//! process keeps two processes apart. The log asks [`current`] for the id. That costs nothing without a log line, unlike
//! a span, which is built and formatted for every request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The header that carries a request id, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-cache, must-revalidate, no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// For this host only: other hosts of the domain are not ours to decide.
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Most characters of an id.
const LONGEST: usize = 64;
/// Most characters of the prefix of fresh ids.
const PREFIX: usize = 40;

/// The id of one request, stored inline: it is as cheap to copy as a pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    text: [u8; LONGEST],
    length: usize,
}

impl RequestId {
    /// `text` has at most [`LONGEST`] characters, all of them allowed in an id.
    fn new(text: &[u8]) -> Self {
        let mut id = Self { text: [0; LONGEST], length: 0 };
        id.push(text);
        id
    }

    fn push(&mut self, text: &[u8]) {
        let end = self.length + text.len();
        self.text[self.length..end].copy_from_slice(text);
        self.length = end;
    }

    /// The id as text: 1 to 64 characters of `[A-Za-z0-9._-]`.
    pub fn as_str(&self) -> &str {
        // An id holds only ASCII, here and in `of`.
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }

    fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.text[..self.length]).unwrap_or(HeaderValue::from_static("-"))
    }
}

impl From<RequestId> for Arc<str> {
    fn from(id: RequestId) -> Self {
        id.as_str().into()
    }
}

impl std::fmt::Debug for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RequestId").field(&self.as_str()).finish()
    }
}

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Runs one step of answering a request. Inside, [`current`] returns the request's id.
pub fn scope<T>(id: RequestId, step: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(id, step)
}

/// The id of the request that this task is answering, if any.
pub fn current() -> Option<RequestId> {
    CURRENT.try_with(|id| *id).ok()
}

/// The source of fresh ids.
#[derive(Debug)]
pub struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids that begin with `prefix`, which should differ between processes. Characters that are not allowed in an id are
    /// removed, and a long prefix is cut.
    pub fn new(prefix: &str) -> Self {
        let prefix = prefix.chars().filter(|&character| is_allowed(character)).take(PREFIX).collect();
        Self { prefix, next: AtomicU64::new(0) }
    }

    /// The id for a request: the caller's own if it is valid and given once, else a fresh one.
    pub fn of(&self, headers: &HeaderMap) -> RequestId {
        let mut given = headers.get_all(X_REQUEST_ID).iter();
        match (given.next(), given.next()) {
            (Some(own), None) if is_acceptable(own) => RequestId::new(own.as_bytes()),
            _ => self.fresh(),
        }
    }

    /// An id that is new in this process.
    pub fn fresh(&self) -> RequestId {
        // An odd factor permutes the numbers: still unique, but no longer a public count of requests.
        let number = self.next.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut id = RequestId::new(self.prefix.as_bytes());
        id.push(&hexadecimal(number));
        id
    }
}

/// The number in 16 hexadecimal digits.
fn hexadecimal(number: u64) -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    digits
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

fn is_acceptable(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    (1..=LONGEST).contains(&id.len()) && id.iter().all(|&byte| is_allowed(char::from(byte)))
}

/// Adds the headers that all responses have.
pub(crate) fn finish(response: &mut Response, id: &RequestId, tls: bool) {
    let without_content = response.status() == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id.header());
    headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, A_YEAR);
    }
    if without_content {
        headers.remove(CONTENT_TYPE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    fn of(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_REQUEST_ID, HeaderValue::from_str(value).unwrap());
        }
        RequestIds::new("p-").of(&headers).as_str().to_owned()
    }

    #[test]
    fn an_acceptable_id_of_the_caller_is_kept() {
        assert_eq!(of(&["a.B_9-"]), "a.B_9-");
        assert_eq!(of(&[&"x".repeat(64)]), "x".repeat(64));
    }

    #[test]
    fn any_other_id_is_replaced() {
        let too_long = "x".repeat(65);
        for values in [&[][..], &[""], &["a b"], &["a\tb"], &["a/b"], &["a", "a"], &[too_long.as_str()]] {
            assert_eq!(of(values), "p-0000000000000000", "{values:?}");
        }
    }

    #[test]
    fn fresh_ids_differ_and_are_acceptable_themselves() {
        let ids = RequestIds::new("no de/\u{e9}");
        let seen: std::collections::HashSet<_> = (0..1000).map(|_| ids.fresh().as_str().to_owned()).collect();
        assert_eq!(seen.len(), 1000);
        assert!(seen.iter().all(|id| id.starts_with("node") && is_acceptable(&HeaderValue::from_str(id).unwrap())));
    }

    #[test]
    fn the_id_is_known_within_its_request_only() {
        let id = RequestIds::new("p-").fresh();
        assert_eq!(current(), None);
        assert_eq!(scope(id, current), Some(id));
        assert_eq!(current(), None);
    }

    #[test]
    fn a_number_is_written_with_all_its_digits() {
        for number in [0, 0xf0_1234, u64::MAX] {
            assert_eq!(hexadecimal(number), format!("{number:016x}").as_bytes());
        }
    }

    #[test]
    fn every_response_is_finished_alike() {
        let id = RequestIds::new("").fresh();
        let mut response = "x".into_response();
        finish(&mut response, &id, false);
        assert!(!response.headers().contains_key(STRICT_TRANSPORT_SECURITY));
        assert_eq!(response.headers()[X_REQUEST_ID], id.as_str());
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache, must-revalidate, no-store");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(response.headers().contains_key(CONTENT_TYPE));
    }

    #[test]
    fn a_handlers_own_cache_control_stays_and_204_has_no_content_type() {
        let mut response = (StatusCode::NO_CONTENT, [(CACHE_CONTROL, "max-age=60")], "").into_response();
        finish(&mut response, &RequestIds::new("").fresh(), true);
        assert_eq!(response.headers()[STRICT_TRANSPORT_SECURITY], "max-age=31536000");
        assert_eq!(response.headers()[CACHE_CONTROL], "max-age=60");
        assert!(!response.headers().contains_key(CONTENT_TYPE));
    }
}
