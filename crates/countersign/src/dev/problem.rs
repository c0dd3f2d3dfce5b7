//! Errors of the dev endpoints, in one form.

use axum::Json;
use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A status, a code for programs, a message, and what to do.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
}

impl Problem {
    /// A problem of this kind.
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { status, code, message: message.into(), hint: hint.into() }
    }

    /// A request that cannot be understood; `hint` says how it is written.
    pub(super) fn bad(hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "dev.bad_request", "this request cannot be understood", hint)
    }

    /// What is asked for is not there.
    pub(super) fn missing(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "dev.not_found", message, hint)
    }

    /// The same response; an error that a library has written gets this form.
    pub(super) async fn in_place_of(response: Response) -> Response {
        let status = response.status();
        let is_ours = response.extensions().get::<Ours>().is_some();
        if is_ours || !(status.is_client_error() || status.is_server_error()) {
            return response;
        }
        // An extractor's message; empty for an unknown path.
        let said = to_bytes(response.into_body(), 1024).await.unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let (code, message) = match status {
            StatusCode::NOT_FOUND => ("dev.not_found", "there is no such dev endpoint"),
            StatusCode::METHOD_NOT_ALLOWED => ("dev.method", "this dev endpoint takes another method"),
            _ => ("dev.bad_request", "this request cannot be understood"),
        };
        let hint = if said.is_empty() { "docs/start/dev-world.md lists them".to_owned() } else { said };
        Self::new(status, code, message, hint).into_response()
    }
}

/// Marks a response as written here.
#[derive(Debug, Clone, Copy)]
struct Ours;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let id = web::request_id::current();
        let body = json!({
            "error": { "code": self.code, "message": self.message, "hint": self.hint },
            "request_id": id.as_ref().map(web::request_id::RequestId::as_str),
        });
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(Ours);
        response
    }
}

impl<E: Into<anyhow::Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error: anyhow::Error = error.into();
        tracing::error!(error = format!("{error:#}"), "a dev endpoint failed");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, "dev.failed", "the dev world failed", "its log has the cause, under this request id")
    }
}
