//! What a browser finds where nothing is served for programs: a calm line at `/`, and one at any path that is none.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// The root of `serve`, which tells no version (SEC 83). Nothing but the line of an unknown path if it is turned off.
pub(crate) fn served(shown: bool) -> Router {
    if !shown {
        return Router::new();
    }
    Router::new().route(
        "/",
        get(|| async { (TEXT, "This is an API server for multi-factor authentication. /docs describes it.\n") }),
    )
}

/// What browsers ask for by themselves, wherever they are.
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

/// No picture, and no need to ask again for a day.
async fn no_icon() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "max-age=86400")]).into_response()
}

/// What any path says at which there is nothing.
pub(crate) async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, TEXT, "There is nothing at this path. Health is at /livez and /readyz, the API at /docs.\n")
        .into_response()
}
