//! The limits of connections and requests, in one place: an operator can read them together, and a test can lower them.
//! `listen`, `wire` and `front` enforce them. No other module has such a limit.

use std::time::Duration;

/// Limits of connections and requests (SEC 60, SEC 61).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request head, from the request line to the empty line. Over: 431. Default 32 KiB.
    pub head_bytes: usize,
    /// Header fields in a request head. Over: 431. Default 100.
    pub head_fields: usize,
    /// Bytes of path and query. Over: 414. Default 8 KiB; hyper itself stops at 64 KiB.
    pub target_bytes: usize,
    /// Bytes of a request body, declared or counted. Over: 413. Default 64 KiB.
    pub body_bytes: usize,
    /// Time from the first byte of a head (or from the connection's start) to its end. Over: closed. Default 10 s.
    pub head_read: Duration,
    /// Time from the head to the end of the body. Over: 408. Default 15 s.
    pub body_read: Duration,
    /// Time from the end of the body to the response. Over: 503. Default 30 s.
    pub handler: Duration,
    /// Time that a connection may be idle between requests, or a response may wait to be read. Over: closed. Default 60 s.
    pub idle: Duration,
    /// Time in which bytes after a refusal are still read, so that the client can read the refusal. Default 1 s.
    pub linger: Duration,
    /// Connections open at once. Over: closed at once. Default 10 000.
    pub connections: usize,
    /// Connections open at once from one peer address. Over: closed at once. Default 1 000. A reverse proxy is one
    /// peer: raise this behind one.
    pub per_peer: usize,
    /// Time for requests in flight once shutdown begins. Over: dropped. Default 25 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 32 * 1024,
            head_fields: 100,
            target_bytes: 8 * 1024,
            body_bytes: 64 * 1024,
            head_read: Duration::from_secs(10),
            body_read: Duration::from_secs(15),
            handler: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            linger: Duration::from_secs(1),
            connections: 10_000,
            per_peer: 1_000,
            drain: Duration::from_secs(25),
        }
    }
}
