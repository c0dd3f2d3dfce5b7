//! `POST /callbacks/PROVIDER/status`: the receipts of providers (contract 18.3); and `/digits`: what people key into calls
//! (contract 18.9). They belong to no dialect: providers call them, and `delivery` judges the signature. The caller is unknown
//! until that is right, so an answer is a status, and for digits the words with which the call ends. A
//! provider that is not configured has no path here: the answer is 404.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use delivery::{Callback, Provider, Receipts, Refusal, Reply};
use domain::model::audit::Actor;
use engine::{AnsweredCall, Engine, Fault};
use web::door::{Answering, Door};
use web::peer::Peer;
use web::rate_limit::{Bucket, RetryAfter};

/// Bytes of a receipt, or of digits, at most.
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

    async fn take(&self, request: &Request<Bytes>) -> Response {
        if request.method() != Method::POST {
            return refusal(StatusCode::METHOD_NOT_ALLOWED);
        }
        let path = request.uri().path();
        let callback = Callback { headers: request.headers(), query: request.uri().query(), body: request.body() };
        let taken = match self.engine.routes().digits_at(path) {
            Some(route) => {
                let taken = self.digits(route.provider().as_ref(), &callback).await;
                if matches!(taken, Err(Refusal::Unsigned)) {
                    route.count_not_taken();
                }
                taken
            }
            None => {
                let taken = self.receipts.take(path, &callback, self.engine.now());
                taken.map(|()| StatusCode::OK.into_response())
            }
        };
        match taken {
            Ok(response) => response,
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

    /// Judges the digits of a call. Those for another number than the device's are refused as a wrong signature is.
    async fn digits(&self, provider: &dyn Provider, callback: &Callback<'_>) -> Result<Response, Refusal> {
        let call = provider.digits(callback, self.engine.now())?;
        if call.keyed.digits.is_absent() {
            return Ok(StatusCode::OK.into_response());
        }
        let actor = Actor { request: web::request_id::current().map(Arc::from), ..Actor::default() };
        match self.engine.answer_call(call.verification, &call.keyed, actor).await {
            Ok(Some(AnsweredCall { said, .. })) => {
                let Reply { content_type, body } = provider.spoken_reply(&said.text, &said.language);
                Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response())
            }
            Ok(None) => {
                tracing::warn!(
                    provider = provider.name(),
                    "call digits refused: another number was called than the device's"
                );
                Err(Refusal::Unsigned)
            }
            Err(Fault::Busy | Fault::Unavailable(_)) => Ok(later()),
            Err(fault @ Fault::Internal(_)) => {
                tracing::error!(error = format!("{:#}", anyhow::Error::from(fault)), "call digits not judged");
                Ok(refusal(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
    }
}

fn later() -> Response {
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

impl Door for Callbacks {
    fn takes(&self, path: &str) -> bool {
        self.receipts.are_taken_at(path) || self.engine.routes().digits_at(path).is_some()
    }

    fn body_bytes(&self) -> usize {
        BODY
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        Some(refusal(status))
    }

    fn answer(&self, request: Request<Bytes>, _: Option<Peer>) -> Answering<'_> {
        Box::pin(async move { self.take(&request).await })
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
