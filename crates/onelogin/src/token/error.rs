//! How the token endpoints refuse (contract 2).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::Fault;

use crate::wire::envelope::v1_error;
use crate::wire::error::{CommonError, Family, common_errors};

#[derive(Debug)]
pub(crate) enum Error {
    /// The body's content type is neither JSON nor a form.
    ContentType,
    /// The grant type is missing or not one of the two.
    GrantType,
    /// Neither header nor body holds credentials.
    AuthorizationMissing,
    /// The credentials cannot be read.
    AuthorizationIncorrect,
    /// No token to revoke was named.
    AccessTokenMissing,
    /// An unknown client, a wrong secret, a wrong pair of tokens.
    AuthenticationFailure,
    Common(CommonError),
}

common_errors!(Error: Fault);

impl IntoResponse for Error {
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
            Self::AuthenticationFailure => CommonError::TokenRefused.answer(Family::V1),
            Self::Common(common) => common.answer(Family::V1),
        }
    }
}
