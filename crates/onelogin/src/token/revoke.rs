//! `POST /auth/oauth2/revoke`: ends an access token and its refresh token (contract 2.3).

use axum::response::Response;
use domain::client::Revocation;

use super::Refusal;
use crate::App;
use crate::call::Call;
use crate::envelope::v1_success_with_echo;

/// Revokes a token and all of its line for the client that holds it. A token that works no longer is a success too.
pub async fn revoke(app: App, call: Call) -> Result<Response, Refusal> {
    let body = super::body(&call)?;
    let access = super::token(&body, "access_token").ok_or(Refusal::AccessTokenMissing)?;
    let credentials = super::credentials(&call, &body)?;
    let Some(client) = super::client(&app, &credentials).await? else {
        return Err(super::wrong_secret(&app, &call, None));
    };
    match app.engine.revoke_token(client, &credentials.secret, &access).await {
        Ok(Revocation::Done) => Ok(v1_success_with_echo()),
        Ok(Revocation::Refused) => Err(super::wrong_secret(&app, &call, None)),
        Ok(Revocation::Held(until)) => Err(super::wrong_secret(&app, &call, Some(until))),
        Err(error) => Err(Refusal::engine(&error)),
    }
}
