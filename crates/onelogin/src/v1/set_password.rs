//! `PUT /api/1/users/set_password_…/{id}`: sets a password (contract 3.2).

use axum::response::Response;
use domain::model::user_patch::UserPatch;
use engine::{ForeignPassword, NewPassword, SaltOrder};

use super::user_error::{Error, user_id};
use crate::access::{Access, ManageAll};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::v1_success_with_echo;
use crate::wire::user_password::{self, NotHashed};

/// Sets a password given in clear, twice.
pub(crate) async fn clear_text(dialect: Dialect, access: Access<ManageAll>, call: ApiCall) -> Result<Response, Error> {
    user_id(&call)?;
    let body = call.json()?;
    let validate = body.flag("validate_policy").map_err(|wrong| Error::incorrect(&wrong.field))?.unwrap_or(false);
    let given = user_password::read(&body, SALT)?.unwrap_or_default();
    let password = given.password.ok_or(Error::Words("password is empty"))?;
    if given.confirmation.as_ref() != Some(&password) {
        return Err(UNCONFIRMED);
    }
    set(&dialect, &access, &call, NewPassword::Clear { clear: password.into(), validate }).await
}

/// A password that another system has digested with a salt. The digest is stored, hashed once more, until its next use.
pub(crate) async fn using_salt(dialect: Dialect, access: Access<ManageAll>, call: ApiCall) -> Result<Response, Error> {
    let given = user_password::read(&call.json()?, SALT)?.unwrap_or_default();
    if given.password.is_none() {
        return Err(Error::Words("password is empty"));
    }
    let foreign = given.foreign().map_err(|why| match why {
        NotHashed::Unconfirmed => UNCONFIRMED,
        NotHashed::Algorithm => Error::incorrect("password_algorithm"),
    })?;
    // This endpoint accepts one algorithm (contract 3.2).
    if !matches!(foreign, ForeignPassword::Salted { order: SaltOrder::SaltFirst, .. }) {
        return Err(Error::incorrect("password_algorithm"));
    }
    set(&dialect, &access, &call, NewPassword::Foreign(foreign)).await
}

/// The name of the salt's member in this version.
const SALT: &str = "password_salt";
const UNCONFIRMED: Error = Error::Words("password_confirmation does not match");

async fn set(
    dialect: &Dialect,
    access: &Access<ManageAll>,
    call: &ApiCall,
    password: NewPassword,
) -> Result<Response, Error> {
    let id = user_id(call)?;
    let set = dialect.engine.update_user(id, UserPatch::default(), Some(password), access.context()).await;
    set.map_err(Error::of(dialect, call))?;
    Ok(v1_success_with_echo())
}
