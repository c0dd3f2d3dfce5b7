//! Files that pages refer to. They are part of the binary, or made of the configuration at the start. The name of each has
//! a digest of its content, so a browser may cache it permanently and never has an old one.

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{HeaderValue, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};

/// The folder of all of them.
pub(crate) const FOLDER: &str = "/assets/";

/// A file with its content and the name that follows from it.
#[derive(Debug, Clone)]
pub(crate) struct Asset {
    path: String,
    content_type: &'static str,
    content: Bytes,
}

impl Asset {
    /// The file `NAME-DIGEST.ENDING`.
    pub(crate) fn new(name: &str, ending: &str, content_type: &'static str, content: Bytes) -> Self {
        let digest = HEXLOWER.encode(&Sha256::digest(&content)[..8]);
        Self { path: format!("{FOLDER}{name}-{digest}.{ending}"), content_type, content }
    }

    /// Where it is, from the root of the server.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The response to a request for it.
    fn response(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.content_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // A picture that is opened by itself runs nothing either.
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
            ),
        ];
        (headers, self.content.clone()).into_response()
    }
}

/// The response to a request in the folder.
pub(crate) fn answer<'a>(mut assets: impl Iterator<Item = &'a Asset>, method: &Method, path: &str) -> Response {
    let Some(asset) = assets.find(|asset| asset.path == path) else {
        return (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], "There is no such file.\n")
            .into_response();
    };
    // hyper leaves the body of the answer to HEAD out, and keeps its length.
    if *method == Method::GET || *method == Method::HEAD {
        return asset.response();
    }
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response()
}
