//! `POST /session_via_api_token`: a browser exchanges a session token for a session (contract 5.3). There is no bearer
//! token: the session token is the proof, once, and a page may send it only from an origin that the log-in has listed.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::access::unnamed_caller;
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::credentials;
use crate::wire::error::CommonError;
use crate::wire::error::Family;
use crate::wire::origin::{listed, origin};

/// The cookie. It belongs to the log-in flow and gives no access to the console (SEC 58).
const COOKIE: &str = "countersign_session";
/// The longest token that is read, in characters; ours have 40.
const TOKEN_MAX: usize = 256;
/// What a person sees where there is no page to return to.
const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Signed in</title>\n\
    <main><h1>You are signed in</h1><p>You can close this page and return to where you came from.</p></main>\n</html>\n";
const CSP: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

pub(crate) async fn exchange(dialect: Dialect, call: ApiCall) -> Response {
    let content_type = call.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Ok(body) = credentials::body(content_type, &call.body) else { return bad_token() };
    let body = body.of(call.inputs());
    let Ok(Some(token)) = body.text("session_token", TOKEN_MAX) else { return bad_token() };
    // A form's origin is not checked: a page may post a form anywhere and cannot read the answer; a script can.
    let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let from = page(call.headers());
    if !is_form && from.is_none() && call.headers().contains_key(header::ORIGIN) {
        return bad_token();
    }
    let asked = if is_form { None } else { from.clone() };
    match dialect.engine.exchange_session(&token, asked.clone(), unnamed_caller()).await {
        Ok(Some(session)) => {
            let mut answer = match next(&dialect, session.terms.return_to_url.as_deref()).filter(|_| is_form) {
                Some(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
                None => axum::response::Html(PAGE).into_response(),
            };
            let headers = answer.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, CSP);
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            let cookie = format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=None", session.cookie);
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                headers.insert(header::SET_COOKIE, cookie);
            }
            if let Some(origin) = asked {
                allow(headers, &origin);
            }
            answer
        }
        Ok(None) => bad_token(),
        Err(fault) => CommonError::from(fault).answer(Family::V1),
    }
}

/// Allows a script to call only while a session token lists its origin.
pub(crate) async fn preflight(dialect: Dialect, call: ApiCall) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let Some(origin) = page(call.headers()) else { return answer };
    match dialect.engine.is_listed_origin(&origin).await {
        Ok(true) => {
            let headers = answer.headers_mut();
            allow(headers, &origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
            answer
        }
        Ok(false) => answer,
        Err(fault) => CommonError::from(fault).answer(Family::V1),
    }
}

/// The page's origin, if the request names one.
fn page(headers: &HeaderMap) -> Option<String> {
    headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()).and_then(origin)
}

fn allow(headers: &mut HeaderMap, origin: &str) {
    const YES: HeaderValue = HeaderValue::from_static("true");
    if let Ok(value) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
        headers.insert(HeaderName::from_static("vary"), HeaderValue::from_static("Origin"));
    }
}

/// Where the browser is redirected: an address on a configured origin, written as it was parsed (SEC 66).
fn next(dialect: &Dialect, asked: Option<&str>) -> Option<HeaderValue> {
    HeaderValue::from_str(listed(asked?, &dialect.options.redirect_origins)?.as_str()).ok()
}

fn bad_token() -> Response {
    (StatusCode::BAD_REQUEST, "The session token is invalid or expired. Sign in again.\n").into_response()
}
