//! A door: whoever answers a whole family of paths by itself.
//!
//! [`crate::front::Front`] asks its doors before its router, and hands over a request whose body has been read whole.
//! A door knows all its routes beforehand, so one look-up finds the handler: no layers, no request body behind a
//! pointer, one allocation for its answer. What no door takes goes to the router.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use axum::response::Response;
use bytes::Bytes;
use http::Request;

use crate::listen::Peer;

/// An answer under way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// Answers every request to the paths it takes, with a refusal where it knows no better.
pub trait Door: fmt::Debug + Send + Sync {
    /// Whether requests to this path come to this door.
    fn takes(&self, path: &str) -> bool;

    /// Answers a request. `peer` is missing only where no socket is: in tests.
    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_>;
}
