//! `GET /saml/metadata`: the metadata by which services check our assertions. Public, as such documents are.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::error::CommonError;
use crate::wire::error::Family;

pub(crate) async fn read(dialect: Dialect, _: ApiCall) -> Response {
    match dialect.engine.saml_metadata("/api/2/saml_assertion").await {
        Ok(xml) => {
            let kind = HeaderValue::from_static("application/samlmetadata+xml; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], xml).into_response()
        }
        Err(fault) => CommonError::from(fault).answer(Family::V1),
    }
}
