//! `/api/1/users` and `/api/1/users/{id}`: the users, each in an array of one (contract 3.2).

use axum::response::Response;
use domain::{Scope, User};
use serde_json::Value;

use super::user_error::{Error, user_id};
use crate::access::{Access, ManageUsers, ReadUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{v1_page, v1_success, v1_success_with_echo};
use crate::wire::paging::PageRequest;
use crate::wire::user::{Fields, UserWire, Version};
use crate::wire::user_filter;
use crate::wire::user_patch::{self, AllowedFields, UserFields};

pub(crate) async fn list(dialect: Dialect, access: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    let asked = PageRequest::v1(&call)?;
    let filter = user_filter::of_query(call.fields(), Version::V1, |name| call.inputs().reads_query(name))?;
    let (found, position) =
        dialect.list(access.client(), asked.find(&dialect.engine, &filter)).await.map_err(Error::of_list(&dialect))?;
    let users: Vec<_> = found.users.iter().map(|user| wire(&dialect, &call, user)).collect();
    Ok(v1_page(&users, &position.pagination(&call)))
}

pub(crate) async fn get(dialect: Dialect, _: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = dialect.engine.user(user_id(&call)?).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success(&[wire(&dialect, &call, &user)]))
}

/// Creates a user. A password is set by a call (`set_password`).
pub(crate) async fn create(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let UserFields { patch, .. } = read(&access, &call)?;
    if !patch.names_somebody() {
        return Err(Error::Words("username is empty"));
    }
    let user = dialect.engine.create_user(patch, None, access.context()).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success(&[wire(&dialect, &call, &user)]))
}

/// Sets what the body names and leaves the rest.
pub(crate) async fn update(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let UserFields { patch, .. } = read(&access, &call)?;
    let present = dialect.engine.user(id).await.map_err(Error::of(&dialect, &call))?;
    let patch = user_patch::changes(patch, &present, dialect.engine.now()).ok_or(Error::Words("username is empty"))?;
    let user =
        dialect.engine.update_user(id, patch, None, access.context()).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success(&[wire(&dialect, &call, &user)]))
}

/// Removes a user with its devices and challenges.
pub(crate) async fn delete(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    dialect.engine.delete_user(user_id(&call)?, access.context()).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success_with_echo())
}

/// The user's roles, an array in an array. Always empty: roles are not kept.
pub(crate) async fn roles(dialect: Dialect, _: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    dialect.engine.user(user_id(&call)?).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success(&[[0_i64; 0]]))
}

/// The user's applications, an array in an array. Always empty: who has which application is not kept.
pub(crate) async fn apps(dialect: Dialect, _: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    dialect.engine.user(user_id(&call)?).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success(&[[Value::Null; 0]]))
}

fn read(access: &Access<ManageUsers>, call: &ApiCall) -> Result<UserFields, Error> {
    let allowed = AllowedFields { states: access.scope() == Scope::ManageAll, password: false };
    Ok(user_patch::read(&call.json()?, allowed)?)
}

fn wire(dialect: &Dialect, call: &ApiCall, user: &User) -> Value {
    Fields::parse(call.query("fields")).of(&UserWire::new(user, Version::V1, dialect.engine.now()))
}
