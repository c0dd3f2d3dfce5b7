//! Answers where no API is: a line at `/`, and at unknown paths a line for programs and a page for people.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::Engine;
use pages::{Pages, Text, Trouble, accepted_languages};

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// The root of `serve`, without a version (SEC 83). If it is turned off, `/` is an unknown path.
pub(crate) fn served(shown: bool) -> Router {
    if !shown {
        return Router::new();
    }
    Router::new().route(
        "/",
        get(|| async { (TEXT, "This is an API server for multi-factor authentication. /docs describes it.\n") }),
    )
}

/// The icon that browsers request from every server.
pub(crate) fn icon() -> Router {
    Router::new().route("/favicon.ico", get(no_icon))
}

/// The root of the admin listener.
pub(crate) fn admin() -> Router {
    const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=color-scheme content=\"light dark\">\
        <title>Countersign</title><h1>Countersign</h1><ul><li><a href=/metrics>Metrics</a><li><a href=/livez>Alive</a>\
        <li><a href=/readyz>Ready</a></ul>\n";
    icon().route("/", get(|| async { axum::response::Html(PAGE) })).fallback(nothing)
}

/// No icon, and browsers ask again after a day only.
async fn no_icon() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "max-age=86400")]).into_response()
}

/// The answer at an unknown path of the API's listener: a page for those who ask with a browser.
pub(crate) async fn nothing_for(headers: HeaderMap, pages: Arc<Pages>, engine: Arc<Engine>) -> Response {
    let value = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !value(header::ACCEPT).contains("text/html") {
        return nothing().await;
    }
    let text = Text::new(engine.words(), &accepted_languages(value(header::ACCEPT_LANGUAGE)));
    pages.response(StatusCode::NOT_FOUND, &Trouble::NotFound.page(text))
}

/// The answer at an unknown path.
pub(crate) async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, TEXT, "There is nothing at this path. Health is at /livez and /readyz, the API at /docs.\n")
        .into_response()
}
