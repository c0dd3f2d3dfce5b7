//! The envelopes of both versions (contract 1.6), and the shape of requests that are refused before any endpoint.
//!
//! Version 1 repeats the HTTP status in its body; version 2 answers bare resources and wraps only errors.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::wire::reason::because;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The body of a version 1 success without data: its status, and the same four members at the top, which one SDK's models
/// require.
pub(crate) const SUCCESS_WITH_ECHO: &[u8] =
    br#"{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success"}"#;

/// The message of a version 1 status: a sentence, or a sentence about one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum StatusMessage {
    Text(String),
    Attribute { attribute: String, description: String },
}

impl StatusMessage {
    pub(crate) fn attribute(attribute: &str, description: &str) -> Self {
        Self::Attribute { attribute: attribute.to_owned(), description: description.to_owned() }
    }
}

impl From<&str> for StatusMessage {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for StatusMessage {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The pages before and after a version 1 list. All four members are always present (contract 1.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Pagination {
    pub before_cursor: Option<String>,
    pub after_cursor: Option<String>,
    pub previous_link: Option<String>,
    pub next_link: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct V1Status<'a> {
    error: bool,
    code: u16,
    r#type: &'a str,
    message: &'a StatusMessage,
}

#[derive(Serialize)]
struct V1<'a, T> {
    status: V1Status<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<&'a Pagination>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
}

/// A success with the status, its echo at the top, and data.
#[derive(Serialize)]
struct Echoed<'a, T> {
    status: V1Status<'a>,
    #[serde(flatten)]
    echo: V1Status<'a>,
    data: &'a T,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct V2Error<'a> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    name: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

/// Any value as a JSON answer, without an envelope: version 2's resources, version 1's `mfa_token`.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => respond(status, Bytes::from(bytes)),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Version 1: success with data.
pub(crate) fn v1_success(data: &impl Serialize) -> Response {
    v1_status(StatusCode::OK, "success", &"Success".into(), Some(data))
}

/// Version 1: success with one page of a list.
pub(crate) fn v1_page(data: &impl Serialize, pagination: &Pagination) -> Response {
    let message = "Success".into();
    let status = V1Status { error: false, code: 200, r#type: "success", message: &message };
    json(StatusCode::OK, &V1 { status, pagination: Some(pagination), data: Some(data) })
}

/// Version 1: success without data, echoed at the top of the body (decision 30).
pub(crate) fn v1_success_with_echo() -> Response {
    respond(StatusCode::OK, Bytes::from_static(SUCCESS_WITH_ECHO))
}

/// Version 1's success with its echo, and data beside both.
pub(crate) fn v1_success_with_echo_and(data: &impl Serialize) -> Response {
    let message = "Success".into();
    let status = || V1Status { error: false, code: 200, r#type: "success", message: &message };
    json(StatusCode::OK, &Echoed { status: status(), echo: status(), data })
}

/// Version 1: any status, with or without data. It is an error from 400 upwards.
pub(crate) fn v1_status<T: Serialize>(
    status: StatusCode,
    r#type: &str,
    message: &StatusMessage,
    data: Option<&T>,
) -> Response {
    let code = status.as_u16();
    let status_member = V1Status { error: code >= 400, code, r#type, message };
    json(status, &V1 { status: status_member, pagination: None, data })
}

/// Version 1: an error. `type` is spelled as the contract spells it.
pub(crate) fn v1_error(status: StatusCode, r#type: &str, message: impl Into<StatusMessage>) -> Response {
    because(v1_status::<()>(status, r#type, &message.into(), None), r#type)
}

/// Version 2: an error, with `details` where the contract has them.
pub(crate) fn v2_error(status: StatusCode, name: &str, message: &str, details: Option<Value>) -> Response {
    because(json(status, &V2Error { status_code: status.as_u16(), name, message, details, field: None }), name)
}

/// Version 2: an error about one query field.
pub(crate) fn v2_field_error(status: StatusCode, name: &str, message: &str, field: &str) -> Response {
    json(status, &V2Error { status_code: status.as_u16(), name, message, details: None, field: Some(field) })
}

/// Version 2: 422 that names the parameters it is about.
pub(crate) fn v2_invalid(parameters: &[&str]) -> Response {
    let details = serde_json::json!({ "parameters": parameters });
    v2_error(StatusCode::UNPROCESSABLE_ENTITY, "ValidationError", "Validations failed", Some(details))
}

/// Version 2: 422 that names the parameters it is about, and says why.
pub(crate) fn v2_invalid_since(parameters: &[&str], why: &str) -> Response {
    let details = serde_json::json!({ "parameters": parameters, "message": why });
    v2_error(StatusCode::UNPROCESSABLE_ENTITY, "ValidationError", "Validations failed", Some(details))
}

/// The answer to a request that is refused before any endpoint, for [`web::guard::RenderRefusal`]. `/api/1` and `/auth` answer as
/// version 1, `/api/2` as version 2, all other paths in plain text.
pub fn refusal(status: StatusCode, message: &str, path: &str) -> Response {
    if is_under(path, "/api/2") {
        v2_error(status, v2_name(status), message, None)
    } else if is_under(path, "/api/1") || is_under(path, "/auth") {
        v1_error(status, v1_type(status), message)
    } else {
        web::guard::plain(status, message, path)
    }
}

/// Version 1's or 2's 404, for a path that names nothing.
pub(crate) fn no_route(path: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, "No Route Exists", path)
}

/// Whether a path is this one or below it.
pub(crate) fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The `type` of statuses that endpoints do not choose.
fn v1_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "bad request",
        404 => "not found",
        405 => "method not allowed",
        408 => "request timeout",
        413 => "payload too large",
        414 => "uri too long",
        429 => "Too Many Requests",
        431 => "request header fields too large",
        503 => "service unavailable",
        _ => "internal server error",
    }
}

/// The `name` of statuses that endpoints do not choose.
fn v2_name(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BadRequestError",
        404 => "NotFoundError",
        405 => "MethodNotAllowedError",
        408 => "RequestTimeoutError",
        413 => "PayloadTooLargeError",
        414 => "UriTooLongError",
        429 => "TooManyRequestsError",
        431 => "RequestHeaderFieldsTooLargeError",
        503 => "ServiceUnavailableError",
        _ => "InternalServerError",
    }
}

fn respond(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    // Room for the headers that every answer gets.
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(CONTENT_TYPE, JSON);
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    /// The status, content type and body of a response whose body is in memory.
    fn parts(response: Response) -> (u16, String, String) {
        let (parts, body) = response.into_parts();
        let reading = std::pin::pin!(axum::body::to_bytes(body, usize::MAX));
        let Poll::Ready(bytes) = reading.poll(&mut Context::from_waker(Waker::noop())) else { panic!("not in memory") };
        let kind = parts.headers[CONTENT_TYPE].to_str().unwrap().to_owned();
        (parts.status.as_u16(), kind, String::from_utf8(bytes.unwrap().to_vec()).unwrap())
    }

    fn body(response: Response) -> String {
        let (_, kind, body) = parts(response);
        assert_eq!(kind, "application/json");
        body
    }

    #[test]
    fn version_1_successes_are_as_documented() {
        assert_eq!(
            body(v1_success(&json!([{ "id": 1 }]))),
            r#"{"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"id":1}]}"#
        );
        assert_eq!(
            body(v1_page(&json!([]), &Pagination { after_cursor: Some("x".to_owned()), ..Pagination::default() })),
            r#"{"status":{"error":false,"code":200,"type":"success","message":"Success"},"pagination":{"before_cursor":null,"after_cursor":"x","previous_link":null,"next_link":null},"data":[]}"#
        );
        assert_eq!(
            body(v1_status::<()>(StatusCode::OK, "pending", &"Authentication pending on OL Protect".into(), None)),
            r#"{"status":{"error":false,"code":200,"type":"pending","message":"Authentication pending on OL Protect"}}"#
        );
    }

    #[test]
    fn the_echo_repeats_the_status_at_the_top() {
        let echo: Value = serde_json::from_str(&body(v1_success_with_echo())).unwrap();
        let mut top = echo.as_object().unwrap().clone();
        let status = top.remove("status").unwrap();
        assert_eq!(Value::Object(top), status);
        assert_eq!(status, json!({ "error": false, "code": 200, "type": "success", "message": "Success" }));
    }

    #[test]
    fn version_1_errors_hold_a_sentence_or_an_attribute() {
        let (status, _, text) = parts(v1_error(StatusCode::UNAUTHORIZED, "Unauthorized", "Authentication Failure"));
        assert_eq!(status, 401);
        assert_eq!(
            text,
            r#"{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}"#
        );
        assert_eq!(
            body(v1_error(StatusCode::BAD_REQUEST, "bad request", StatusMessage::attribute("id", "ID is incorrect"))),
            r#"{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"id","description":"ID is incorrect"}}}"#
        );
    }

    #[test]
    fn version_2_errors_are_as_documented() {
        assert_eq!(
            body(v2_error(StatusCode::BAD_REQUEST, "BadRequestError", "Input JSON is not valid", None)),
            r#"{"statusCode":400,"name":"BadRequestError","message":"Input JSON is not valid"}"#
        );
        assert_eq!(
            body(v2_invalid(&["expires_in"])),
            r#"{"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["expires_in"]}}"#
        );
        assert_eq!(
            body(v2_field_error(StatusCode::UNPROCESSABLE_ENTITY, "N", "Invalid sort field: x", "x")),
            r#"{"statusCode":422,"name":"N","message":"Invalid sort field: x","field":"x"}"#
        );
    }

    #[test]
    fn a_refusal_speaks_the_dialect_of_its_path() {
        let refused = |path: &str| parts(refusal(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large", path));
        let first = r#"{"status":{"error":true,"code":413,"type":"payload too large","message":"The request body is too large"}}"#;
        let second = r#"{"statusCode":413,"name":"PayloadTooLargeError","message":"The request body is too large"}"#;
        for path in ["/api/1/users/1", "/api/1", "/auth/oauth2/v2/token"] {
            assert_eq!(refused(path), (413, "application/json".to_owned(), first.to_owned()), "{path}");
        }
        assert_eq!(refused("/api/2/mfa"), (413, "application/json".to_owned(), second.to_owned()));
        for path in ["/", "/api/10", "/authors", "/console"] {
            assert_eq!(refused(path).1, "text/plain; charset=utf-8", "{path}");
        }
    }
}
