//! Lists of what a directory keeps beside people: roles, groups, apps and connectors (contract 3.3). None is kept, so each
//! list is empty, in its version's own shape, and a single one is not found.
//!
//! Inventories read these lists on their way and end at a path that is not there.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use crate::App;
use crate::access::{Access, Allows};
use crate::call::Call;
use crate::envelope::{json, v1_page};
use crate::paging::{Asked, Place};
use crate::{v1, v2};

/// The list, in version 1.
pub async fn v1_list<S: Allows>(_: App, _: Access<S>, call: Call) -> Result<Response, v1::user_error::Error> {
    let place = Place::of_nothing(Asked::v1(&call)?);
    Ok(v1_page(&[Value::Null; 0], &place.pagination(&call)))
}

/// One of them, in version 1.
pub async fn v1_one<S: Allows>(_: App, _: Access<S>, call: Call) -> v1::user_error::Error {
    let id = call.path("id").to_owned();
    if id.parse::<u32>().is_ok() {
        v1::user_error::Error::NoSuch(noun(call.target()), id)
    } else {
        v1::user_error::Error::BadId
    }
}

/// The list, in version 2.
pub async fn v2_list<S: Allows>(_: App, _: Access<S>, call: Call) -> Result<Response, v2::user_error::Error> {
    let place = Place::of_nothing(Asked::v2(&call)?);
    let mut answer = json(StatusCode::OK, &[Value::Null; 0]);
    answer.headers_mut().extend(place.headers(&call));
    Ok(answer)
}

/// One of them, in version 2.
pub async fn v2_one<S: Allows>(_: App, _: Access<S>, _: Call) -> v2::user_error::Error {
    v2::user_error::Error::NotFound
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
