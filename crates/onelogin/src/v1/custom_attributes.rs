//! `PUT /api/1/users/{id}/set_custom_attributes` and `GET /api/1/users/custom_attributes` (contract 3.2). A custom
//! attribute exists as soon as a user has it.

use std::collections::BTreeSet;

use axum::response::Response;
use domain::model::user_patch::UserPatch;

use super::user_error::{Error, user_id};
use crate::access::{Access, ManageUsers, ReadUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{v1_success, v1_success_with_echo};
use crate::wire::user_patch;

/// Users searched for names, at most: one call must not read a whole large database.
const LOOKED_AT: u32 = 10_000;

/// Sets the custom attributes that the body names.
pub(crate) async fn set(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let body = call.json()?;
    if !body.has("custom_attributes") {
        return Err(Error::incorrect("custom_attributes"));
    }
    let patch = UserPatch { custom_attributes: user_patch::custom_attributes(&body)?, ..UserPatch::default() };
    dialect.engine.update_user(id, patch, None, access.context()).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success_with_echo())
}

/// The names of all custom attributes, an array in an array.
pub(crate) async fn list(dialect: Dialect, access: Access<ReadUsers>, _: ApiCall) -> Result<Response, Error> {
    let names = dialect.list(access.client(), dialect.engine.attribute_names(LOOKED_AT)).await;
    let names: BTreeSet<_> = names.map_err(Error::of_list(&dialect))?.into_iter().collect();
    Ok(v1_success(&[names]))
}
