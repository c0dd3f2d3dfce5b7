//! The token endpoints: `/auth`. They take a client's own credentials, or the pair of tokens to renew (contract 2).
//!
//! A call is judged in one order everywhere: its content type, its JSON, what it asks for, who asks, and only then the
//! database. The secret is judged before any limit: a right one counts in its client's rate like any call (SEC 37), a wrong one is
//! counted twice, per client by the engine and per address here, and only wrong ones have to wait (SEC 30).

pub mod issue;
pub mod rate_limit;
pub mod revoke;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{ClientId, Timestamp};
use web::limit::RetryAfter;

use crate::App;
use crate::access::Family;
use crate::call::Call;
use crate::credentials::{self, Credentials};
use crate::envelope::v1_error;
use crate::error::Common;
use crate::lenient::Body;

/// The longest token that is looked at; ours have 64 characters.
const TOKEN_MAX: usize = 256;

/// Why a token call is refused.
#[derive(Debug)]
pub enum Refusal {
    /// There is a body, and its content type is neither JSON nor a form.
    ContentType,
    /// The grant type is missing or not one of the two.
    GrantType,
    /// Nothing says who calls.
    AuthorizationMissing,
    /// What says who calls cannot be read.
    AuthorizationIncorrect,
    /// No token to revoke was named.
    AccessTokenMissing,
    /// An unknown client, a wrong secret, a wrong pair of tokens.
    AuthenticationFailure,
    /// One of the failures all endpoints share.
    Common(Common),
}

impl Refusal {
    /// The engine's failures as a token call shows them.
    fn engine(error: &engine::Error) -> Self {
        use engine::Error as E;
        Self::Common(match error {
            E::Unavailable(_) | E::Busy => Common::Unavailable,
            E::Revoked => Common::TokenRefused,
            E::NoUser
            | E::NoDevice
            | E::Barred
            | E::NotOffered
            | E::AlreadyEnrolled
            | E::BadTarget
            | E::BadCountry
            | E::NotTrustable
            | E::BadTemplate(_)
            | E::BadText(_)
            | E::TooMany(_)
            | E::Locked(_)
            | E::Taken(_)
            | E::BadPassword(_)
            | E::Internal(_) => Common::fault(error),
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let bad_request = |message: &str| v1_error(StatusCode::BAD_REQUEST, "bad request", message);
        match self {
            Self::ContentType => bad_request(
                "Content Type is not specified or specified incorrectly. Content-Type header must be set to application/json",
            ),
            Self::GrantType => bad_request("grant_type is incorrect/absent"),
            Self::AuthorizationMissing => bad_request("The authorization information is missing"),
            Self::AuthorizationIncorrect => bad_request("The authorization information is incorrect"),
            Self::AccessTokenMissing => bad_request("Access Token Missing"),
            Self::AuthenticationFailure => Common::TokenRefused.answer(Family::V1),
            Self::Common(common) => common.answer(Family::V1),
        }
    }
}

/// The fields of a token call's body, JSON or form.
fn body(call: &Call) -> Result<Body, Refusal> {
    let content_type = call.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !call.body.is_empty() && !content_type.is_some_and(is_accepted) {
        return Err(Refusal::ContentType);
    }
    let mut body = credentials::body(content_type, &call.body).map_err(|_| Refusal::Common(Common::BadJson))?;
    // Addresses are written to logs, so no secret and no token is taken from one (RFC 6749, section 2.3.1).
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
fn credentials(call: &Call, body: &Body) -> Result<Credentials, Refusal> {
    let header = match call.headers().get(header::AUTHORIZATION).map(|value| value.to_str()) {
        Some(Ok(text)) => Some(text),
        Some(Err(_)) => return Err(Refusal::AuthorizationIncorrect),
        None => None,
    };
    credentials::parse(header, body).map_err(|_| Refusal::AuthorizationIncorrect)?.ok_or(Refusal::AuthorizationMissing)
}

/// A field that holds a token; an empty one is none.
fn token(body: &Body, field: &str) -> Option<String> {
    body.text(field, TOKEN_MAX).ok().flatten().filter(|token| !token.is_empty())
}

/// The client of this id; its call counts in its rate if the secret is right.
async fn client(app: &App, credentials: &Credentials) -> Result<Option<ClientId>, Refusal> {
    let client = app.engine.client(&credentials.id).await.map_err(|error| Refusal::engine(&error))?;
    if let Some(client) = client.as_ref().filter(|client| client.knows(&credentials.secret)) {
        within_rate(app, client.id).await?;
    }
    Ok(client.map(|client| client.id))
}

/// Refuses a client that calls too fast.
async fn within_rate(app: &App, client: ClientId) -> Result<(), Refusal> {
    let taken = app.bursts.take(&app.engine, client).await;
    taken.map_err(|error| Refusal::engine(&error))?.map_err(too_many)
}

/// Counts a wrong secret or pair against the address it came from. It has to wait where the address has shown too many,
/// or where `held`: its client has been shown too many.
fn wrong_secret(app: &App, call: &Call, held: Option<Timestamp>) -> Refusal {
    let peer = call.peer();
    let refused = app.wrong_secrets.check(peer);
    app.wrong_secrets.strike(peer);
    match (refused, held) {
        (Err(wait), _) => too_many(wait),
        (Ok(()), Some(until)) => Refusal::Common(Common::TooMany(Some(until.retry_after(app.engine.now())))),
        (Ok(()), None) => Refusal::AuthenticationFailure,
    }
}

fn too_many(wait: RetryAfter) -> Refusal {
    Refusal::Common(Common::TooMany(Some(i64::try_from(wait.0).unwrap_or(i64::MAX))))
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
