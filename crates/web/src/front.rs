//! Every request passes this on its way to a handler, and every response on its way back.
//!
//! In order: a request id, the guard, the whole body within its limits, then a door or the router with a deadline and
//! with panics caught, and the headers that all responses share. A handler therefore never waits for a body, never sees
//! one that is too large, and cannot end the process (SEC 81).
//!
//! The futures here are moved for every request, so they are kept small: large state is behind the one pointer of an
//! [`Answering`], and the timer belongs to the connection (`wire::Alarm`).

use std::any::Any;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, RETRY_AFTER};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, StatusCode};
use tower::{Service, ServiceExt};

use crate::body::{self, BodyError};
use crate::door::{Answering, Door};
use crate::guard::{self, RenderRefusal};
use crate::limits::Limits;
use crate::path;
use crate::peer::Peer;
use crate::request_id::{self, RequestIds};
use crate::screen::Refused;
use crate::wire::{Alarm, monotonic_now};

/// The doors and the router, with the steps before and after them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Front(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    doors: Vec<Arc<dyn Door>>,
    router: Router,
    limits: Limits,
    ids: RequestIds,
    refusal: RenderRefusal,
    connections: AtomicUsize,
    /// Whether TLS is terminated here, so that responses ask browsers to use it (SEC 51).
    tls: AtomicBool,
}

/// A front that something inside it refers to, without keeping it alive.
#[derive(Clone, Debug)]
pub struct WeakFront(Weak<Inner>);

impl WeakFront {
    /// The front, unless it is gone.
    pub fn upgrade(&self) -> Option<Front> {
        self.0.upgrade().map(Front)
    }
}

/// Counts a connection as open until it is dropped.
pub(crate) struct Open(Front);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Front {
    /// A front for these doors, and for a router that gets all other paths. `refusal` makes the response to a request
    /// that is refused before either.
    pub fn new(
        doors: Vec<Arc<dyn Door>>,
        router: Router,
        limits: Limits,
        ids: RequestIds,
        refusal: RenderRefusal,
    ) -> Self {
        Self(Arc::new(Inner {
            doors,
            router,
            limits,
            ids,
            refusal,
            connections: AtomicUsize::new(0),
            tls: AtomicBool::new(false),
        }))
    }

    /// A reference for handlers of this front.
    pub fn downgrade(&self) -> WeakFront {
        WeakFront(Arc::downgrade(&self.0))
    }

    /// The limits that this front enforces.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Marks the answers as sent over TLS.
    pub(crate) fn ends_tls(&self) {
        self.0.tls.store(true, Ordering::Relaxed);
    }

    /// Number of open connections.
    pub fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Counts a connection until the result is dropped.
    pub(crate) fn opened(&self) -> Open {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        Open(self.clone())
    }

    /// Answers one request, whose [`Peer`] is in its extensions if it has one. Tests without a socket call this;
    /// `listen` does the same for every request it reads.
    pub async fn answer(&self, mut request: Request<Body>) -> Response {
        let peer = request.extensions_mut().remove();
        self.answer_screened(request, peer, None, &mut Alarm::default()).await
    }

    /// Answers a request whose bytes the screen may already have refused.
    pub(crate) async fn answer_screened<B: hyper::body::Body<Data = Bytes>>(
        &self,
        request: Request<B>,
        peer: Option<Peer>,
        refused: Option<Refused>,
        alarm: &mut Alarm,
    ) -> Response {
        let id = self.0.ids.of(request.headers());
        let (mut parts, body) = request.into_parts();
        path::make_plain(&mut parts.uri);
        let mut response = match self.read(&parts, body, refused, alarm).await {
            Err(refused) => self.refuse(refused, parts.uri.path()),
            Ok(body) => {
                // A failure's response needs the path, and the handler consumes the request.
                let target = parts.uri.path_and_query().cloned();
                let mut answering = self.enter(parts, body, peer);
                let caught = |cx: &mut Context<'_>| request_id::scope(id, || poll_caught(&mut answering, cx));
                match within(self.0.limits.handler, caught, alarm).await {
                    Some(Ok(response)) => response,
                    failed => request_id::scope(id, || self.fail(failed.is_none(), target.as_ref())),
                }
            }
        };
        request_id::finish(&mut response, &id, self.0.tls.load(Ordering::Relaxed));
        response
    }

    /// The body, or the reason for a refusal.
    async fn read<B: hyper::body::Body<Data = Bytes>>(
        &self,
        parts: &Parts,
        body: B,
        refused: Option<Refused>,
        alarm: &mut Alarm,
    ) -> Result<Bytes, Refused> {
        let limits = &self.0.limits;
        let body_bytes =
            self.door(parts.uri.path()).map_or(usize::MAX, |door| door.body_bytes()).min(limits.body_bytes);
        refused.map_or_else(|| guard::check(parts, limits, body_bytes), Err)?;
        let mut reading = pin!(body::read(body, body_bytes));
        match within(limits.body_read, |cx| reading.as_mut().poll(cx), alarm).await {
            Some(read) => read.map_err(unreadable),
            None => Err(broken_off(StatusCode::REQUEST_TIMEOUT, "The request body took too long")),
        }
    }

    /// The response if the handler panicked or timed out.
    fn fail(&self, late: bool, target: Option<&PathAndQuery>) -> Response {
        let path = target.map_or("", PathAndQuery::path);
        if late {
            tracing::error!("a handler did not answer in time");
            let mut response = self.rendered(StatusCode::SERVICE_UNAVAILABLE, "The service is unavailable", path);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        } else {
            // The panic hook gets the panic's message. It may hold secrets, so it is not repeated here.
            tracing::error!("a handler panicked");
            self.rendered(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", path)
        }
    }

    /// Passes a request to its door, or to the router.
    fn enter(&self, mut parts: Parts, body: Bytes, peer: Option<Peer>) -> Answering<'_> {
        if let Some(door) = self.door(parts.uri.path()) {
            return door.answer(Request::from_parts(parts, body), peer);
        }
        if let Some(peer) = peer {
            parts.extensions.insert(peer);
        }
        let answering = self.0.router.clone().oneshot(Request::from_parts(parts, Body::from(body)));
        Box::pin(async move { answering.await.unwrap_or_else(|never| match never {}) })
    }

    /// The door of a path.
    fn door(&self, path: &str) -> Option<&Arc<dyn Door>> {
        self.0.doors.iter().find(|door| door.takes(path))
    }

    /// The response to a request that no handler answers, in the form of its path.
    fn rendered(&self, status: StatusCode, message: &str, path: &str) -> Response {
        let of_door = self.door(path).and_then(|door| door.refusal(status));
        of_door.unwrap_or_else(|| (self.0.refusal)(status, message, path))
    }

    fn refuse(&self, refused: Refused, path: &str) -> Response {
        let mut response = self.rendered(refused.status, refused.message, path);
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
    match error {
        BodyError::TooLarge => broken_off(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large"),
        BodyError::Broken => broken_off(StatusCode::BAD_REQUEST, "The request body could not be read"),
    }
}

/// A refusal that leaves the body unread, and therefore ends the connection.
const fn broken_off(status: StatusCode, message: &'static str) -> Refused {
    Refused { status, message, close: true }
}

/// Polls until the timeout. `None` after it.
async fn within<T>(time: Duration, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>, alarm: &mut Alarm) -> Option<T> {
    let mut deadline = None;
    poll_fn(|cx| match poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            let deadline = *deadline.get_or_insert_with(|| monotonic_now() + time);
            alarm.poll(cx, Some(deadline)).map(|()| None)
        }
    })
    .await
}

/// Polls an answer and catches its panic. Shared state is behind locks that report poisoning, so continuing after an
/// unwind is safe.
fn poll_caught(answering: &mut Answering<'_>, cx: &mut Context<'_>) -> Poll<Result<Response, Box<dyn Any + Send>>> {
    match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use axum::routing::{get, post};
    use http_body_util::BodyExt;

    /// A door that answers with what came in.
    #[derive(Debug)]
    struct Echo;

    impl Door for Echo {
        fn takes(&self, path: &str) -> bool {
            path.starts_with("/door/")
        }

        fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_> {
            Box::pin(async move {
                match request.uri().path() {
                    "/door/panic" => panic!("a secret"),
                    "/door/stuck" => std::future::pending().await,
                    _ => {}
                }
                let id = request_id::current().map(|id| id.as_str().to_owned());
                format!("{} {:?} {peer:?} {id:?}", request.uri().path(), request.body()).into_response()
            })
        }
    }

    /// A door with a smaller limit, which refuses in another form.
    #[derive(Debug)]
    struct Narrow;

    impl Door for Narrow {
        fn takes(&self, path: &str) -> bool {
            path == "/narrow"
        }

        fn body_bytes(&self) -> usize {
            4
        }

        fn refusal(&self, status: StatusCode) -> Option<Response> {
            Some(status.into_response())
        }

        fn answer(&self, request: Request<Bytes>, _: Option<Peer>) -> Answering<'_> {
            Box::pin(async move { request.into_body().into_response() })
        }
    }

    fn front() -> Front {
        let router = Router::new()
            .route("/echo", post(|body: Bytes| async move { body }))
            .route("/panic", get(|| async { panic!("a secret") as &'static str }))
            .route("/stuck", get(|| async { std::future::pending::<&'static str>().await }))
            .route("/fine", get(|| async { "fine" }));
        let soon = Duration::from_millis(20);
        let limits = Limits { handler: soon, body_read: soon, ..Limits::default() };
        Front::new(vec![Arc::new(Echo), Arc::new(Narrow)], router, limits, RequestIds::new("t"), guard::plain)
    }

    async fn answer(request: http::request::Builder, body: impl Into<Body>) -> (u16, Bytes, http::HeaderMap) {
        let response = front().answer(request.header("host", "x").body(body.into()).unwrap()).await;
        let (parts, body) = response.into_parts();
        (parts.status.as_u16(), body.collect().await.unwrap().to_bytes(), parts.headers)
    }

    #[tokio::test]
    async fn a_panic_is_one_500_with_a_request_id() {
        for path in ["/panic", "/door/panic"] {
            let (status, body, headers) = answer(Request::get(path), Body::empty()).await;
            assert_eq!((status, &body[..]), (500, &b"Internal server error"[..]));
            assert!(headers.contains_key("x-request-id"));
        }
    }

    #[tokio::test]
    async fn a_stuck_handler_is_503() {
        for path in ["/stuck", "/door/stuck"] {
            let (status, _, headers) = answer(Request::get(path), Body::empty()).await;
            assert_eq!((status, &headers["retry-after"]), (503, &HeaderValue::from_static("1")));
        }
    }

    #[tokio::test]
    async fn a_door_is_asked_before_the_router_and_told_who_calls() {
        let peer = Peer(([127, 0, 0, 1], 4711).into());
        let request = Request::post("/door/x?y").header("x-request-id", "mine").extension(peer);
        let (status, body, _) = answer(request, "body").await;
        let expected = format!("/door/x b\"body\" Some({peer:?}) Some(\"mine\")");
        assert_eq!((status, String::from_utf8_lossy(&body).into_owned()), (200, expected));
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
    async fn a_door_may_take_less_and_refuse_in_its_own_way() {
        assert_eq!(answer(Request::post("/narrow"), "four").await.0, 200);
        let declared = answer(Request::post("/narrow").header("content-length", "5"), Body::empty()).await;
        for (status, body, headers) in [answer(Request::post("/narrow"), "five!").await, declared] {
            assert_eq!(
                (status, &body[..], &headers["connection"]),
                (413, &b""[..], &HeaderValue::from_static("close"))
            );
        }
        assert_eq!(answer(Request::trace("/narrow"), Body::empty()).await.1, "");
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_408() {
        struct Never;
        impl hyper::body::Body for Never {
            type Data = Bytes;
            type Error = Infallible;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
                Poll::Pending
            }
        }
        let (status, _, headers) = answer(Request::post("/echo"), Body::new(Never)).await;
        assert_eq!((status, &headers["connection"]), (408, &HeaderValue::from_static("close")));
    }

    #[tokio::test]
    async fn a_front_is_a_tower_service() {
        let request = Request::get("/fine").header("host", "x").body(Body::empty()).unwrap();
        assert_eq!(front().oneshot(request).await.unwrap().status(), StatusCode::OK);
    }
}
