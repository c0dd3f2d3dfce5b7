//! `PUT /api/1/users/{id}/set_custom_attributes` and `GET /api/1/users/custom_attributes` (contract 3.2). A custom
//! attribute exists as soon as a user has it.

use std::collections::BTreeSet;

use axum::response::Response;
use domain::user::UserPatch;
use engine::{Page, UserFilter};

use super::user_error::{Error, user_id};
use crate::App;
use crate::access::{Access, ManageUsers, ReadUsers};
use crate::call::Call;
use crate::envelope::{v1_success, v1_success_with_echo};
use crate::user_patch;

/// Users looked at for the names they have, so that one call never reads a whole large database.
const LOOKED_AT: u64 = 10_000;
/// Users looked at in one go.
const STEP: u32 = 500;

/// Sets custom attributes; those not named stay.
pub async fn set(app: App, access: Access<ManageUsers>, call: Call) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let body = call.json()?;
    if !body.has("custom_attributes") {
        return Err(Error::incorrect("custom_attributes"));
    }
    let patch = UserPatch { custom_attributes: user_patch::custom_attributes(&body)?, ..UserPatch::default() };
    app.engine.update_user(id, patch, None, access.context()).await.map_err(Error::of(&app, &call))?;
    Ok(v1_success_with_echo())
}

/// The names of all custom attributes, an array in an array.
pub async fn list(app: App, _: Access<ReadUsers>, call: Call) -> Result<Response, Error> {
    let mut names = BTreeSet::new();
    for offset in (0..LOOKED_AT).step_by(STEP as usize) {
        let page = Page { limit: STEP, offset };
        let found = app.engine.users(&UserFilter::default(), page).await.map_err(Error::of(&app, &call))?;
        names.extend(found.users.into_iter().flat_map(|user| user.profile.custom_attributes.into_keys()));
        if offset + u64::from(STEP) >= found.total {
            break;
        }
    }
    Ok(v1_success(&[names]))
}
