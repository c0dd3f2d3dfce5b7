//! The description as bytes. It is the same for all callers of a dialect, so it is written once.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::wire::call::ApiCall;

/// The document and the page of one dialect, each written when it is first asked for.
#[derive(Default)]
pub(crate) struct Described {
    document: OnceLock<Written>,
    page: OnceLock<Written>,
}

impl Described {
    /// The document, for programs.
    pub(crate) fn document(&self, write: impl FnOnce() -> String) -> &Written {
        self.document.get_or_init(|| Written::new(write()))
    }

    /// The page, for people.
    pub(crate) fn page(&self, write: impl FnOnce() -> String) -> &Written {
        self.page.get_or_init(|| Written::new(write()))
    }
}

/// An answer that is the same for all callers, with its entity tag.
pub(crate) struct Written {
    bytes: Bytes,
    tag: HeaderValue,
}

impl Written {
    fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = data_encoding::HEXLOWER.encode(&domain::Digest::of(&bytes).0[..16]);
        let tag = HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, tag }
    }

    /// The bytes, or 304 if the caller has them.
    pub(crate) fn answer(&self, call: &ApiCall, kind: &'static str) -> Response {
        let known = call.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let is_known = |tag: &str| tag == "*" || tag.trim_start_matches("W/").as_bytes() == self.tag.as_bytes();
        let tag = [(header::ETAG, self.tag.clone())];
        if known.flat_map(|tags| tags.split(',')).any(|tag| is_known(tag.trim())) {
            return (StatusCode::NOT_MODIFIED, tag).into_response();
        }
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        (kind, tag, self.bytes.clone()).into_response()
    }
}
