//! `/api/2/roles`, `groups`, `apps`, `connectors`: what a directory keeps beside people (contract 3.3). None of it is kept
//! here, so each list is empty and a single one is not found. Inventories read these lists, and stop where one is missing.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::user_error::Error;
use crate::access::{Access, Allows};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::paging::{PagePosition, PageRequest};

pub(crate) async fn list<S: Allows>(_: Dialect, _: Access<S>, call: ApiCall) -> Result<Response, Error> {
    let position = PagePosition::of_nothing(PageRequest::v2(&call)?);
    let mut answer = json(StatusCode::OK, &[Value::Null; 0]);
    answer.headers_mut().extend(position.headers(&call));
    Ok(answer)
}

pub(crate) async fn get<S: Allows>(_: Dialect, _: Access<S>, _: ApiCall) -> Error {
    Error::NotFound
}
