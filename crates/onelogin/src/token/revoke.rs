//! `POST /auth/oauth2/revoke`: ends an access token and its refresh token (contract 2.3).

use axum::response::Response;
use domain::rules::client::Revocation;

use super::error::Error;
use super::request;
use crate::access::unnamed_caller;
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::v1_success_with_echo;

/// Revokes a token and its refresh token. Revoking one that no longer works is a success too.
pub(crate) async fn revoke(dialect: Dialect, call: ApiCall) -> Result<Response, Error> {
    let body = request::body(&call)?;
    let access = request::token(&body, "access_token").ok_or(Error::AccessTokenMissing)?;
    let credentials = request::credentials(&call, &body)?;
    let Some(client) = request::client(&dialect, &call, &credentials).await? else {
        return Err(request::wrong_secret(&dialect, &call, None));
    };
    match dialect.engine.revoke_token(client, &credentials.secret, &access, call.peer(), unnamed_caller()).await? {
        Revocation::Done => Ok(v1_success_with_echo()),
        Revocation::Refused => Err(request::wrong_secret(&dialect, &call, None)),
        Revocation::Held(until) => Err(request::wrong_secret(&dialect, &call, Some(until))),
    }
}
