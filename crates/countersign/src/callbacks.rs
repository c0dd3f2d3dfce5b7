//! `POST /callbacks/PROVIDER/status`: the receipts of providers (contract 18.3). It belongs to no dialect: providers call it, and
//! `delivery` judges what they say. The caller is unknown until the signature is right, so an answer is only a status. A
//! provider that is not configured has no path here: the answer is 404.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use delivery::{Callback, Receipts, Refusal};
use engine::Engine;
use web::door::{Answering, Door};
use web::peer::Peer;
use web::rate_limit::{Bucket, RetryAfter};

/// Bytes of a receipt at most.
const BODY: usize = 8 * 1024;
/// Refusals for a wrong signature per second, for all callers together. Beyond it, the answer is 429.
const RATE: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// Refusals at once.
const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The door of the providers.
pub(crate) struct Callbacks {
    receipts: Receipts,
    rate: Bucket<()>,
    engine: Arc<Engine>,
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callbacks(…)")
    }
}

impl Callbacks {
    /// Takes receipts of messages that this engine sends.
    pub(crate) fn of(engine: &Arc<Engine>) -> Self {
        let rate = Bucket::per_second(RATE, BURST);
        Self { receipts: Receipts::over(engine.routes()), rate, engine: engine.clone() }
    }

    fn take(&self, request: &Request<Bytes>) -> Response {
        if request.method() != Method::POST {
            return refusal(StatusCode::METHOD_NOT_ALLOWED);
        }
        let uri = request.uri();
        let callback = Callback { headers: request.headers(), query: uri.query(), body: request.body() };
        match self.receipts.take(uri.path(), &callback, self.engine.now()) {
            Ok(()) => StatusCode::OK.into_response(),
            Err(Refusal::NotUnderstood) => refusal(StatusCode::BAD_REQUEST),
            // Only these count, so that strangers cannot shut providers out.
            Err(Refusal::Unsigned) => match self.rate.take(&()) {
                Ok(()) => refusal(StatusCode::FORBIDDEN),
                Err(RetryAfter(seconds)) => {
                    let wait = (header::RETRY_AFTER, HeaderValue::from(seconds));
                    (StatusCode::TOO_MANY_REQUESTS, [wait], Body::empty()).into_response()
                }
            },
        }
    }
}

impl Door for Callbacks {
    fn takes(&self, path: &str) -> bool {
        self.receipts.are_taken_at(path)
    }

    fn body_bytes(&self) -> usize {
        BODY
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        Some(refusal(status))
    }

    fn answer(&self, request: Request<Bytes>, _: Option<Peer>) -> Answering<'_> {
        Box::pin(async move { self.take(&request) })
    }
}

/// A refusal, which says nothing but its status.
fn refusal(status: StatusCode) -> Response {
    let mut response = status.into_response();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
