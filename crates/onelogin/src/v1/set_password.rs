//! `PUT /api/1/users/set_password_…/{id}`: sets a password (contract 3.2).

use axum::response::Response;
use domain::user::UserPatch;
use engine::NewPassword;

use super::user_error::{Error, user_id};
use crate::App;
use crate::access::{Access, ManageAll};
use crate::call::Call;
use crate::envelope::v1_success_with_echo;
use crate::user_patch::{self, GivenPassword};

/// A password in clear, given twice.
pub async fn clear_text(app: App, access: Access<ManageAll>, call: Call) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let body = call.json()?;
    let validate = body.flag("validate_policy").map_err(|wrong| Error::incorrect(&wrong.field))?.unwrap_or(false);
    let GivenPassword { password, confirmation, .. } = user_patch::password(&body)?.unwrap_or_default();
    let password = password.ok_or(Error::Words("password is empty"))?;
    if confirmation.as_ref() != Some(&password) {
        return Err(Error::Words("password_confirmation does not match"));
    }
    let password = NewPassword { clear: password.into(), validate };
    app.engine
        .update_user(id, UserPatch::default(), Some(password), access.context())
        .await
        .map_err(Error::of(&app, &call))?;
    Ok(v1_success_with_echo())
}

/// A password hashed elsewhere. This version takes none, and says so rather than store what nobody could log in with.
pub async fn using_salt(_: App, _: Access<ManageAll>, call: Call) -> Result<Response, Error> {
    user_id(&call)?;
    call.json()?;
    Err(Error::Words("Hashed passwords are not supported"))
}
