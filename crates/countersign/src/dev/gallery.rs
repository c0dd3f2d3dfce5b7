//! `GET /dev/pages`: every block that pages are made of, and every page, with made-up values.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use pages::{Text, Trouble, accepted_languages};
use serde::Deserialize;

use super::world::DevWorld;

/// The query of a sample.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Reading {
    /// The language to show it in, rather than the browser's.
    language: Option<String>,
}

/// The page that shows the blocks and lists the samples.
pub(super) async fn design(world: State<Arc<DevWorld>>, reading: Query<Reading>, headers: HeaderMap) -> Response {
    sample(world, Path("design".to_owned()), reading, headers).await
}

/// The sample of this name, with made-up values.
pub(super) async fn sample(
    State(world): State<Arc<DevWorld>>,
    Path(name): Path<String>,
    Query(reading): Query<Reading>,
    headers: HeaderMap,
) -> Response {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok()).unwrap_or_default();
    let languages = reading.language.as_deref().into_iter().chain(accepted_languages(accepted)).collect::<Vec<_>>();
    let text = Text::new(world.engine().words(), &languages);
    let pages = &world.installation.pages;
    match pages::gallery::sample(&name, text) {
        Some(page) => pages.response(StatusCode::OK, &page),
        None => pages.response(StatusCode::NOT_FOUND, &Trouble::NotFound.page(text)),
    }
}
