//! What every request passes on its way to a handler and every response on its way back.
//!
//! In order: a request id, the guard, the body read whole within its limits, the router under a deadline with
//! panics caught, and the headers all responses share. A handler therefore never waits for a body, never sees one
//! that is too large, and cannot take the process with it (SEC 81).

use std::any::Any;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, RETRY_AFTER};
use http::{HeaderValue, Request, StatusCode};
use tower::{Service, ServiceExt};

use crate::body::{self, BodyError};
use crate::guard::{self, Refusal};
use crate::limits::Limits;
use crate::request_id::{self, RequestId, RequestIds};
use crate::screen::Refused;

/// The router with everything that stands around it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Front(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    router: Router,
    limits: Limits,
    ids: RequestIds,
    refusal: Refusal,
}

impl Front {
    /// Puts a router behind the limits. `refusal` shapes what is refused before the router.
    pub fn new(router: Router, limits: Limits, ids: RequestIds, refusal: Refusal) -> Self {
        Self(Arc::new(Inner { router, limits, ids, refusal }))
    }

    /// The limits this front keeps.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Answers one request. Tests without a socket call this; `listen` calls it for every request it reads.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        self.answer_screened(request, None).await
    }

    /// Answers a request whose bytes the screen may already have refused.
    pub(crate) async fn answer_screened(&self, request: Request<Body>, refused: Option<Refused>) -> Response {
        let id = self.0.ids.of(request.headers());
        let mut response = request_id::scope(id, self.pass(request, refused, &id)).await;
        request_id::finish(&mut response, &id);
        response
    }

    async fn pass(&self, request: Request<Body>, refused: Option<Refused>, id: &RequestId) -> Response {
        let (mut parts, body) = request.into_parts();
        let limits = &self.0.limits;
        let refused = refused.map_or_else(|| guard::check(&parts, limits), Err);
        if let Err(refused) = refused {
            return self.refuse(refused, parts.uri.path());
        }
        let bytes = match body::read(body, limits.body_bytes, limits.body_read).await {
            Ok(bytes) => bytes,
            Err(error) => return self.refuse(unreadable(error), parts.uri.path()),
        };
        parts.extensions.insert(*id);
        let uri = parts.uri.clone();
        let request = Request::from_parts(parts, Body::from(bytes));

        let handled = catch_panic(self.0.router.clone().oneshot(request));
        match tokio::time::timeout(limits.handler, handled).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Err(_panic)) => {
                // The panic's words go to the panic hook; they may hold anything, so they are not repeated here.
                tracing::error!("a handler panicked");
                (self.0.refusal)(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", uri.path())
            }
            Err(_elapsed) => {
                tracing::error!("a handler did not answer in time");
                let mut response =
                    (self.0.refusal)(StatusCode::SERVICE_UNAVAILABLE, "The service is unavailable", uri.path());
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
        }
    }

    fn refuse(&self, refused: Refused, path: &str) -> Response {
        let mut response = (self.0.refusal)(refused.status, refused.message, path);
        if refused.close {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl Service<Request<Body>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let front = self.clone();
        Box::pin(async move { Ok(front.answer(request).await) })
    }
}

fn unreadable(error: BodyError) -> Refused {
    let (status, message) = match error {
        BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large"),
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "The request body took too long"),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "The request body could not be read"),
    };
    Refused { status, message, close: true }
}

/// Runs a future and catches its panic. What the future shared with others is behind locks that say when they
/// were poisoned, so unwinding out of it is safe to observe.
async fn catch_panic<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use bytes::Bytes;
    use http_body_util::BodyExt;
    use std::time::Duration;

    fn front() -> Front {
        let router = Router::new()
            .route("/echo", post(|body: Bytes| async move { body }))
            .route("/panic", get(|| async { panic!("a secret") as &'static str }))
            .route("/stuck", get(|| async { std::future::pending::<&'static str>().await }))
            .route("/fine", get(|| async { "fine" }));
        let limits = Limits { handler: Duration::from_millis(20), ..Limits::default() };
        Front::new(router, limits, RequestIds::new("t"), guard::plain)
    }

    async fn answer(request: http::request::Builder, body: impl Into<Body>) -> (u16, Bytes, http::HeaderMap) {
        let response = front().answer(request.header("host", "x").body(body.into()).unwrap()).await;
        let (parts, body) = response.into_parts();
        (parts.status.as_u16(), body.collect().await.unwrap().to_bytes(), parts.headers)
    }

    #[tokio::test]
    async fn a_panic_is_one_500_with_a_request_id() {
        let (status, body, headers) = answer(Request::get("/panic"), Body::empty()).await;
        assert_eq!((status, &body[..]), (500, &b"Internal server error"[..]));
        assert!(headers.contains_key("x-request-id"));
    }

    #[tokio::test]
    async fn a_stuck_handler_is_503() {
        let (status, _, headers) = answer(Request::get("/stuck"), Body::empty()).await;
        assert_eq!((status, &headers["retry-after"]), (503, &HeaderValue::from_static("1")));
    }

    #[tokio::test]
    async fn a_body_reaches_its_handler_whole() {
        let (status, body, _) = answer(Request::post("/echo"), "x".repeat(64 * 1024)).await;
        assert_eq!((status, body.len()), (200, 64 * 1024));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_413_even_when_undeclared() {
        let (status, _, headers) = answer(Request::post("/echo"), "x".repeat(64 * 1024 + 1)).await;
        assert_eq!((status, &headers["connection"]), (413, &HeaderValue::from_static("close")));
    }

    #[tokio::test]
    async fn a_front_is_a_tower_service() {
        let request = Request::get("/fine").header("host", "x").body(Body::empty()).unwrap();
        assert_eq!(front().oneshot(request).await.unwrap().status(), StatusCode::OK);
    }
}
