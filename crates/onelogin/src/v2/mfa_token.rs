//! `POST …/mfa_token`: issues a temporary token (contract 7.11).

use axum::http::StatusCode;
use axum::response::Response;

use super::error::Error;
use crate::access::{Access, ManageUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::temp_token::{TempTokenWire, token_ttl};

/// Issues a temporary token, which replaces any earlier one.
pub(crate) async fn issue(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::NotFound)?;
    let body = call.json()?;
    let ttl = token_ttl(body.int("expires_in")?).ok_or(Error::invalid("expires_in"))?;
    let reusable = body.flag("reusable")?.unwrap_or(false);
    let issued = dialect.engine.issue_temp_token(user, ttl, reusable, access.context()).await?;
    Ok(json(StatusCode::CREATED, &TempTokenWire::new(user, issued)))
}
