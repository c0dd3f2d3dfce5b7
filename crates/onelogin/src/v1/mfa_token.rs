//! `POST /api/1/users/{user_id}/mfa_token`: issues a temporary token (contract 4.7). The answer has no envelope.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::{Access, ManageUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::profile::CompatProfile;
use crate::wire::temp_token::{TempTokenWire, token_ttl};

#[derive(Serialize, ToSchema)]
#[schema(as = V1TempToken)]
pub(crate) struct Issued {
    #[serde(flatten)]
    token: TempTokenWire,
    /// One SDK's model requires this spelling.
    resuable: bool,
}

/// Issues a temporary token, which replaces any earlier one.
pub(crate) async fn issue(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let body = call.json()?;
    let ttl = token_ttl(body.int("expires_in")?).ok_or(Error::LifeOutOfRange)?;
    let reusable = body.flag("reusable")?.unwrap_or(false);
    let issued = dialect.engine.issue_temp_token(user, ttl, reusable, access.context()).await?;
    let status = if access.profile() == CompatProfile::Python4 { StatusCode::OK } else { StatusCode::CREATED };
    Ok(json(status, &Issued { token: TempTokenWire::new(user, issued), resuable: reusable }))
}
