//! `PUT /api/1/users/set_password_…/{id}`: sets a password (contract 3.2).

use axum::response::Response;
use domain::user::UserPatch;
use engine::{Foreign, NewPassword, SaltOrder};

use super::user_error::{Error, user_id};
use crate::App;
use crate::access::{Access, ManageAll};
use crate::call::Call;
use crate::envelope::v1_success_with_echo;
use crate::user_patch::{self, NotHashed};

/// A password in clear, given twice.
pub async fn clear_text(app: App, access: Access<ManageAll>, call: Call) -> Result<Response, Error> {
    user_id(&call)?;
    let body = call.json()?;
    let validate = body.flag("validate_policy").map_err(|wrong| Error::incorrect(&wrong.field))?.unwrap_or(false);
    let given = user_patch::password(&body, SALT)?.unwrap_or_default();
    let password = given.password.ok_or(Error::Words("password is empty"))?;
    if given.confirmation.as_ref() != Some(&password) {
        return Err(UNCONFIRMED);
    }
    set(&app, &access, &call, NewPassword::Clear { clear: password.into(), validate }).await
}

/// A password that another system has digested with a salt. It is kept as it is, hashed once more, until its next use.
pub async fn using_salt(app: App, access: Access<ManageAll>, call: Call) -> Result<Response, Error> {
    let given = user_patch::password(&call.json()?, SALT)?.unwrap_or_default();
    if given.password.is_none() {
        return Err(Error::Words("password is empty"));
    }
    let foreign = given.foreign().map_err(|why| match why {
        NotHashed::Unconfirmed => UNCONFIRMED,
        NotHashed::Algorithm => Error::incorrect("password_algorithm"),
    })?;
    // This call knows one algorithm (contract 3.2).
    if !matches!(foreign, Foreign::Salted { order: SaltOrder::SaltFirst, .. }) {
        return Err(Error::incorrect("password_algorithm"));
    }
    set(&app, &access, &call, NewPassword::Foreign(foreign)).await
}

/// The member that holds a salt, in this version's words.
const SALT: &str = "password_salt";
const UNCONFIRMED: Error = Error::Words("password_confirmation does not match");

async fn set(app: &App, access: &Access<ManageAll>, call: &Call, password: NewPassword) -> Result<Response, Error> {
    let id = user_id(call)?;
    let set = app.engine.update_user(id, UserPatch::default(), Some(password), access.context()).await;
    set.map_err(Error::of(app, call))?;
    Ok(v1_success_with_echo())
}
