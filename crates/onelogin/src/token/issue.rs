//! `POST /auth/oauth2/v2/token` and `POST /auth/oauth2/token`: the two shapes of the same answer (contract 2.1, 2.2).

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::client::ACCESS_TTL;
use domain::model::time::SECOND;
use engine::{TokenAnswer, TokenPair};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use super::request;
use crate::access::unnamed_caller;
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{json, v1_success};
use crate::wire::time::with_millis;

/// A pair of tokens. Clients add `expires_in` to `created_at`, so a pair that is answered again keeps both.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenWire {
    access_token: String,
    created_at: String,
    expires_in: i64,
    refresh_token: String,
    token_type: &'static str,
    account_id: i64,
}

impl TokenWire {
    fn new(pair: TokenPair, account_id: i64) -> Self {
        Self {
            created_at: with_millis(pair.created_at.0),
            access_token: pair.access,
            refresh_token: pair.refresh,
            expires_in: ACCESS_TTL / SECOND,
            token_type: "bearer",
            account_id,
        }
    }
}

/// The shape of RFC 6749. It must not have a member `status`: one client reads that as a failure.
pub(crate) async fn v2(dialect: Dialect, call: ApiCall) -> Result<Response, Error> {
    Ok(json(StatusCode::OK, &tokens(&dialect, &call).await?))
}

/// The older shape, in an envelope.
pub(crate) async fn v1(dialect: Dialect, call: ApiCall) -> Result<Response, Error> {
    Ok(v1_success(&[tokens(&dialect, &call).await?]))
}

async fn tokens(dialect: &Dialect, call: &ApiCall) -> Result<TokenWire, Error> {
    let body = request::body(call)?;
    let answer = match body.text("grant_type", 32).ok().flatten().as_deref() {
        Some("client_credentials") => {
            let credentials = request::credentials(call, &body)?;
            match request::client(dialect, call, &credentials).await? {
                Some(client) => {
                    dialect.engine.grant_token(client, &credentials.secret, call.peer(), unnamed_caller()).await?
                }
                None => TokenAnswer::Refused,
            }
        }
        Some("refresh_token") => {
            // The pair itself is the authorization: an `Authorization` header is ignored.
            let (Some(access), Some(refresh)) =
                (request::token(&body, "access_token"), request::token(&body, "refresh_token"))
            else {
                return Err(Error::AuthorizationMissing);
            };
            match dialect.engine.client_of_pair(&access, &refresh, call.peer()).await? {
                Some(client) => {
                    request::within_rate(dialect, client).await?;
                    dialect.engine.refresh_token(client, &access, &refresh, call.peer(), unnamed_caller()).await?
                }
                None => TokenAnswer::Refused,
            }
        }
        _ => return Err(Error::GrantType),
    };
    match answer {
        TokenAnswer::Granted(pair) => Ok(TokenWire::new(pair, dialect.engine.settings().account_id)),
        TokenAnswer::Refused => Err(request::wrong_secret(dialect, call, None)),
        TokenAnswer::Held(until) => Err(request::wrong_secret(dialect, call, Some(until))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_token_has_the_documented_members_and_types() {
        let pair =
            TokenPair { access: "a".repeat(64), refresh: "b".repeat(64), created_at: Timestamp(1_772_357_400_000) };
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        assert_eq!(
            serde_json::to_string(&TokenWire::new(pair, 100_001)).unwrap(),
            format!(
                r#"{{"access_token":"{a}","created_at":"2026-03-01T09:30:00.000Z","expires_in":36000,"refresh_token":"{b}","token_type":"bearer","account_id":100001}}"#
            )
        );
    }
}
