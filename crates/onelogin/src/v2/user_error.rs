//! The errors of calls about users in version 2 (contract 1.7, 3.2). One match turns the engine's errors into a row,
//! another a row into bytes; neither has a wildcard.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{UserField, UserId};

use crate::dialect::Dialect;
use crate::wire::call::{ApiCall, BadJson};
use crate::wire::envelope::{v2_error, v2_field_error, v2_invalid};
use crate::wire::error::CommonError;
use crate::wire::error::Family;
use crate::wire::lists::Unreadable;
use crate::wire::paging::BadPage;
use crate::wire::user_field::BadUserField;
use crate::wire::user_password;

#[derive(Debug)]
pub(crate) enum Error {
    Common(CommonError),
    /// No such user, or not a user id.
    NotFound,
    /// No user has a member of this name.
    Unknown(String),
    /// A member or parameter whose value cannot be read or stored.
    Invalid(String),
    /// A cursor that no list of this server returned.
    Cursor,
    /// The list cannot be sorted by this.
    Sort(String),
    /// The user would not be valid; with the reason.
    Validation(String),
    /// There is no lock to remove.
    NotLocked,
}

impl Error {
    /// Puts an engine's error into version 2's words, for `map_err`.
    pub(crate) fn of(dialect: &Dialect) -> impl Fn(engine::Error) -> Self {
        use engine::Error as E;
        move |error| match error {
            E::NoUser => Self::NotFound,
            E::Taken(field) => {
                let name = if field == UserField::Email { "Email" } else { "Username" };
                Self::Validation(format!("{name} must be unique within {}", dialect.engine.settings().account))
            }
            E::BadField(field) => Self::Invalid(field.name().to_owned()),
            E::BadPassword(why) => Self::Validation(user_password::fault(why).to_owned()),
            E::TooMany(until) | E::Locked(until) => {
                Self::Common(CommonError::TooMany(until.map(|until| until.retry_after(dialect.engine.now()))))
            }
            E::Revoked => Self::Common(CommonError::TokenRefused),
            E::Busy | E::Unavailable(_) => Self::Common(CommonError::Unavailable),
            // These do not happen to calls about users.
            error @ (E::NoDevice
            | E::Barred
            | E::NotOffered
            | E::AlreadyEnrolled
            | E::BadTarget
            | E::BadCountry
            | E::NotTrustable
            | E::BadDeviceName
            | E::BadName
            | E::Internal(_)) => Self::Common(CommonError::fault(&error)),
        }
    }
}

/// The user of the path.
pub(crate) fn user_id(call: &ApiCall) -> Result<UserId, Error> {
    call.user_id().ok_or(Error::NotFound)
}

impl From<BadJson> for Error {
    fn from(_: BadJson) -> Self {
        Self::Common(CommonError::BadJson)
    }
}

impl From<BadUserField> for Error {
    fn from(fault: BadUserField) -> Self {
        match fault {
            BadUserField::Unknown(name) => Self::Unknown(name),
            BadUserField::Wrong(name) => Self::Invalid(name),
        }
    }
}

impl From<BadPage> for Error {
    fn from(bad: BadPage) -> Self {
        match bad {
            BadPage::Cursor(_) => Self::Cursor,
            BadPage::Sort(name) => Self::Sort(name),
        }
    }
}

impl From<Unreadable> for Error {
    fn from(Unreadable(name): Unreadable) -> Self {
        Self::Invalid(name)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let unprocessable =
            |message: &str| v2_error(StatusCode::UNPROCESSABLE_ENTITY, "UnprocessableEntityError", message, None);
        match self {
            Self::Common(common) => common.answer(Family::V2Users),
            Self::NotFound => v2_error(
                StatusCode::NOT_FOUND,
                "NotFoundError",
                "The resource with the given id could not be found",
                None,
            ),
            Self::Unknown(name) => {
                v2_error(StatusCode::BAD_REQUEST, "BadRequestError", &format!("unknown attribute: {name}"), None)
            }
            Self::Invalid(name) => v2_invalid(&[&name]),
            Self::Cursor => v2_error(StatusCode::BAD_REQUEST, "BadRequestError", "Invalid pagination cursor", None),
            Self::Sort(name) => v2_field_error(
                StatusCode::UNPROCESSABLE_ENTITY,
                "UnprocessableEntityFieldError",
                &format!("Invalid sort field: {name}"),
                &name,
            ),
            Self::Validation(why) => unprocessable(&format!("Validation failed: {why}")),
            Self::NotLocked => unprocessable("User cannot be unlocked"),
        }
    }
}
