//! `POST /api/1/users/{user_id}/mfa_token`: issues a temporary token (contract 4.7). Its success has no envelope.

use axum::http::StatusCode;
use axum::response::Response;
use domain::CompatProfile;
use serde::Serialize;

use super::error::Error;
use crate::App;
use crate::access::{Access, ManageUsers};
use crate::call::Call;
use crate::envelope::json;
use crate::v2::mfa_token::{TempTokenAnswer, token_ttl};

#[derive(Serialize)]
struct Issued {
    #[serde(flatten)]
    token: TempTokenAnswer,
    /// Misspelt in one SDK's model, which asks for it.
    resuable: bool,
}

/// Issues a temporary token in place of any earlier one.
pub async fn issue(app: App, access: Access<ManageUsers>, call: Call) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let body = call.json()?;
    let ttl = token_ttl(body.int("expires_in")?).ok_or(Error::LifeOutOfRange)?;
    let reusable = body.flag("reusable")?.unwrap_or(false);
    let issued = app.engine.issue_temp_token(user, ttl, reusable, access.context()).await;
    let issued = issued.map_err(Error::at(app.engine.now()))?;
    let status = if access.profile() == CompatProfile::Python4 { StatusCode::OK } else { StatusCode::CREATED };
    Ok(json(status, &Issued { token: TempTokenAnswer::new(user, issued), resuable: reusable }))
}
