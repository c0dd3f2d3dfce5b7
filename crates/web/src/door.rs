//! A door answers a whole family of paths: it is how a dialect joins the front.
//!
//! [`crate::front::Front`] asks its doors before its router, and gives them a request with its whole body. A door knows
//! all its routes in advance, so one look-up finds the handler: no layers, no boxed request body, one allocation for the
//! answer. Paths that no door takes go to the router.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use axum::response::Response;
use bytes::Bytes;
use http::{Request, StatusCode};

use crate::peer::Peer;

/// The future of an answer.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// Answers every request to its paths, with a refusal for unknown ones.
pub trait Door: fmt::Debug + Send + Sync {
    /// Whether this door answers requests to this path.
    fn takes(&self, path: &str) -> bool;

    /// Bytes that a request's body may have at most, where that is less than the front's own limit.
    fn body_bytes(&self) -> usize {
        usize::MAX
    }

    /// The response to a request to its paths that is refused before it gets here; nothing where the front's own will do.
    fn refusal(&self, _status: StatusCode) -> Option<Response> {
        None
    }

    /// Answers a request. `peer` is `None` only without a socket, in tests.
    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_>;
}
