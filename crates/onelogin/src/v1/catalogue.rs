//! `/api/1/roles`, `groups`, `apps`, `connectors`: what a directory keeps beside people (contract 3.3). None of it is kept
//! here, so each list is empty and a single one is not found. Inventories read these lists, and stop where one is missing.

use axum::response::Response;
use serde_json::Value;

use super::user_error::Error;
use crate::access::{Access, Allows};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::v1_page;
use crate::wire::paging::{PagePosition, PageRequest};

pub(crate) async fn list<S: Allows>(_: Dialect, _: Access<S>, call: ApiCall) -> Result<Response, Error> {
    let position = PagePosition::of_nothing(PageRequest::v1(&call)?);
    Ok(v1_page(&[Value::Null; 0], &position.pagination(&call)))
}

pub(crate) async fn get<S: Allows>(_: Dialect, _: Access<S>, call: ApiCall) -> Error {
    let id = call.path("id").to_owned();
    if id.parse::<u32>().is_ok() { Error::NoSuch(noun(call.target()), id) } else { Error::BadId }
}

/// What a path is about.
fn noun(path: &str) -> &'static str {
    match path.split('/').nth(3) {
        Some("roles") => "Role",
        Some("groups") => "Group",
        Some("apps") => "App",
        _ => "Connector",
    }
}
