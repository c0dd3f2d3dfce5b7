//! A door answers a whole family of paths: it is how a dialect joins the front.
//!
//! [`crate::front::Front`] asks its doors before its router, and gives them a request with its whole body. A door knows
//! all its routes in advance, so one look-up finds the handler: no layers, no boxed request body, one allocation for the
//! answer. Paths that no door takes go to the router.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::Context;

use axum::response::Response;
use bytes::Bytes;
use http::{Request, StatusCode};

use crate::peer::Peer;
use crate::request_id;

/// The future of an answer.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// Does work that goes on when its caller hangs up: what follows a decision, such as a notice to the person, is not dropped
/// with the connection. A panic in it goes on here.
pub async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let id = request_id::current();
    let mut work = Box::pin(work);
    let mut step = move |cx: &mut Context<'_>| work.as_mut().poll(cx);
    let task = tokio::spawn(std::future::poll_fn(move |cx| match id {
        Some(id) => request_id::scope(id, || step(cx)),
        None => step(cx),
    }));
    match task.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Nothing aborts it but the end of the process.
            Err(_) => std::future::pending().await,
        },
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_id::RequestIds;

    #[tokio::test]
    async fn work_goes_on_without_its_caller_and_knows_its_request() {
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let (says, said) = tokio::sync::oneshot::channel();
        let id = RequestIds::new("p-").fresh();
        let mut working = Box::pin(to_its_end(async move {
            wait.await.unwrap();
            says.send(request_id::current()).unwrap();
        }));
        let waker = std::task::Waker::noop();
        let first = request_id::scope(id, || working.as_mut().poll(&mut Context::from_waker(waker)));
        assert!(first.is_pending());
        drop(working);
        go.send(()).unwrap();
        assert_eq!(said.await.unwrap(), Some(id));
    }
}
