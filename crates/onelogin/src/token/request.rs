//! What the token endpoints read of a call, and the limits that they apply (SEC 30, 37).

use axum::http::header;
use domain::{Client, ClientId, Timestamp};
use web::rate_limit::RetryAfter;

use super::error::Error;
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::credentials::{self, Credentials};
use crate::wire::error::CommonError;
use crate::wire::lenient::Body;

/// The longest token that is read, in characters; ours have 64.
const TOKEN_MAX: usize = 256;

/// The fields of a token call's body, JSON or form.
pub(super) fn body(call: &ApiCall) -> Result<Body, Error> {
    let content_type = call.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !call.body.is_empty() && !content_type.is_some_and(is_accepted) {
        return Err(Error::ContentType);
    }
    let mut body = credentials::body(content_type, &call.body).map_err(|_| Error::Common(CommonError::BadJson))?;
    body = body.of(call.inputs());
    // URLs end up in logs, so no secret and no token is read from one (RFC 6749, section 2.3.1).
    for name in ["grant_type", "client_id"] {
        if let Some(value) = call.query(name) {
            body.set_absent(name, value);
        }
    }
    Ok(body)
}

fn is_accepted(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/x-www-form-urlencoded"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// The client's id and secret.
pub(super) fn credentials(call: &ApiCall, body: &Body) -> Result<Credentials, Error> {
    let header = match call.headers().get(header::AUTHORIZATION).map(|value| value.to_str()) {
        Some(Ok(text)) => Some(text),
        Some(Err(_)) => return Err(Error::AuthorizationIncorrect),
        None => None,
    };
    credentials::parse(header, body).map_err(|_| Error::AuthorizationIncorrect)?.ok_or(Error::AuthorizationMissing)
}

/// A field that holds a token; an empty one is absent.
pub(super) fn token(body: &Body, field: &str) -> Option<String> {
    body.text(field, TOKEN_MAX).ok().flatten().filter(|token| !token.is_empty())
}

/// The client of this id. Its call counts in its rate if the secret is right and the client may call from here.
pub(super) async fn client(
    dialect: &Dialect,
    call: &ApiCall,
    credentials: &Credentials,
) -> Result<Option<ClientId>, Error> {
    let client = dialect.engine.client(&credentials.id).await?;
    let is_right =
        |client: &&Client| client.knows(&credentials.secret) && client.may_call(call.peer(), dialect.engine.now());
    if let Some(client) = client.as_ref().filter(is_right) {
        within_rate(dialect, client.id).await?;
    }
    Ok(client.map(|client| client.id))
}

/// Refuses a client that calls too fast.
pub(super) async fn within_rate(dialect: &Dialect, client: ClientId) -> Result<(), Error> {
    dialect.rate_limit.take(&dialect.engine, client).await?.map_err(too_many)
}

/// Counts a wrong secret or pair against its address. The caller has to wait if the address sent too many of them, or
/// until `held` if its client was sent too many.
pub(super) fn wrong_secret(dialect: &Dialect, call: &ApiCall, held: Option<Timestamp>) -> Error {
    let peer = call.peer();
    let refused = dialect.wrong_secrets.check(peer);
    dialect.wrong_secrets.strike(peer);
    match (refused, held) {
        (Err(wait), _) => too_many(wait),
        (Ok(()), Some(until)) => Error::Common(CommonError::TooMany(Some(until.retry_after(dialect.engine.now())))),
        (Ok(()), None) => Error::AuthenticationFailure,
    }
}

fn too_many(wait: RetryAfter) -> Error {
    Error::Common(CommonError::TooMany(Some(i64::try_from(wait.0).unwrap_or(i64::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_forms_are_accepted_with_parameters() {
        assert!(is_accepted("application/json"));
        assert!(is_accepted("Application/JSON; charset=utf-8"));
        assert!(is_accepted("application/x-www-form-urlencoded;charset=utf-8"));
        for other in ["", "text/plain", "application/jsonx", "application/xml; application/json"] {
            assert!(!is_accepted(other), "{other}");
        }
    }
}
