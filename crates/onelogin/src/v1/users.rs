//! `/api/1/users` and `/api/1/users/{id}`: the users, each in an array of one (contract 3.2).

use axum::response::Response;
use domain::{Scope, User};
use serde_json::Value;

use super::user_error::{Error, user_id};
use crate::App;
use crate::access::{Access, ManageUsers, ReadUsers};
use crate::call::Call;
use crate::envelope::{v1_page, v1_success, v1_success_with_echo};
use crate::paging::Asked;
use crate::user_filter;
use crate::user_patch::{self, Allowed, Given};
use crate::user_wire::{Fields, UserWire, Version};

/// One page of the users that match.
pub async fn list(app: App, access: Access<ReadUsers>, call: Call) -> Result<Response, Error> {
    let asked = Asked::v1(&call)?;
    let filter = user_filter::of_query(call.fields(), Version::V1)?;
    let (found, place) =
        app.list(access.client(), asked.find(&app.engine, &filter)).await.map_err(Error::of(&app, &call))?;
    let users: Vec<_> = found.users.iter().map(|user| wire(&app, &call, user)).collect();
    Ok(v1_page(&users, &place.pagination(&call)))
}

/// One user.
pub async fn get(app: App, _: Access<ReadUsers>, call: Call) -> Result<Response, Error> {
    let user = app.engine.user(user_id(&call)?).await.map_err(Error::of(&app, &call))?;
    Ok(v1_success(&[wire(&app, &call, &user)]))
}

/// Creates a user. Passwords are set by their own calls.
pub async fn create(app: App, access: Access<ManageUsers>, call: Call) -> Result<Response, Error> {
    let Given { patch, .. } = read(&access, &call)?;
    if !patch.names_somebody() {
        return Err(Error::Words("username is empty"));
    }
    let user = app.engine.create_user(patch, None, access.context()).await.map_err(Error::of(&app, &call))?;
    Ok(v1_success(&[wire(&app, &call, &user)]))
}

/// Sets what the body names and leaves the rest.
pub async fn update(app: App, access: Access<ManageUsers>, call: Call) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let Given { patch, .. } = read(&access, &call)?;
    let present = app.engine.user(id).await.map_err(Error::of(&app, &call))?;
    let patch = user_patch::changes(patch, &present, app.engine.now()).ok_or(Error::Words("username is empty"))?;
    let user = app.engine.update_user(id, patch, None, access.context()).await.map_err(Error::of(&app, &call))?;
    Ok(v1_success(&[wire(&app, &call, &user)]))
}

/// Removes a user with everything that hangs on it.
pub async fn delete(app: App, access: Access<ManageUsers>, call: Call) -> Result<Response, Error> {
    app.engine.delete_user(user_id(&call)?, access.context()).await.map_err(Error::of(&app, &call))?;
    Ok(v1_success_with_echo())
}

/// The user's roles, an array in an array: none, since roles are not kept.
pub async fn roles(app: App, _: Access<ReadUsers>, call: Call) -> Result<Response, Error> {
    app.engine.user(user_id(&call)?).await.map_err(Error::of(&app, &call))?;
    Ok(v1_success(&[[0_i64; 0]]))
}

/// The user's applications, an array in an array: none, since whose an application is is not kept.
pub async fn apps(app: App, _: Access<ReadUsers>, call: Call) -> Result<Response, Error> {
    app.engine.user(user_id(&call)?).await.map_err(Error::of(&app, &call))?;
    Ok(v1_success(&[[Value::Null; 0]]))
}

fn read(access: &Access<ManageUsers>, call: &Call) -> Result<Given, Error> {
    let allowed = Allowed { standing: access.scope() == Scope::ManageAll, password: false };
    Ok(user_patch::read(&call.json()?, allowed)?)
}

fn wire(app: &App, call: &Call, user: &User) -> Value {
    Fields::parse(call.query("fields")).of(&UserWire::new(user, Version::V1, app.engine.now()))
}
