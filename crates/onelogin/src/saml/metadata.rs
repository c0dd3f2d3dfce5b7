//! `GET /saml/metadata`: what a service is given to recognise our assertions by. Public, as such documents are.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::access::Family;
use crate::call::Call;
use crate::error::Common;

/// The document.
pub async fn read(app: App, _: Call) -> Response {
    match app.engine.saml_metadata().await {
        Ok(xml) => {
            let kind = HeaderValue::from_static("application/samlmetadata+xml; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], xml).into_response()
        }
        Err(engine::Error::Unavailable(_)) => Common::Unavailable.answer(Family::V1),
        Err(error) => Common::fault(&error).answer(Family::V1),
    }
}
