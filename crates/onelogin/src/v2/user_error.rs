//! The errors of calls about users in version 2 (contract 1.7, 3.2). One match turns their errors into a row, one
//! those of lists, another a row into bytes; none has a wildcard.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{UserField, UserId};
use engine::{Fault, ListError, UpdateUserError};

use crate::dialect::Dialect;
use crate::wire::call::{ApiCall, BadJson};
use crate::wire::envelope::{v2_error, v2_field_error, v2_invalid};
use crate::wire::error::{CommonError, Family, common_errors};
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
    /// The error of a call about a user, for `map_err`.
    pub(crate) fn of<E: Into<UpdateUserError>>(dialect: &Dialect) -> impl Fn(E) -> Self {
        move |error| match error.into() {
            UpdateUserError::NoUser => Self::NotFound,
            UpdateUserError::Taken(field) => {
                let name = if field == UserField::Email { "Email" } else { "Username" };
                Self::Validation(format!("{name} must be unique within {}", dialect.engine.settings().account))
            }
            UpdateUserError::BadField(field) => Self::Invalid(field.name().to_owned()),
            UpdateUserError::BadPassword(why) => Self::Validation(user_password::fault(why).to_owned()),
            UpdateUserError::Fault(fault) => fault.into(),
        }
    }

    /// The error of a list, for `map_err`.
    pub(crate) fn of_list(dialect: &Dialect) -> impl Fn(ListError) -> Self {
        move |error| match error {
            ListError::TooMany(until) => {
                Self::Common(CommonError::TooMany(Some(until.retry_after(dialect.engine.now()))))
            }
            ListError::Fault(fault) => fault.into(),
        }
    }
}

/// The user of the path.
pub(crate) fn user_id(call: &ApiCall) -> Result<UserId, Error> {
    call.user_id().ok_or(Error::NotFound)
}

common_errors!(Error: Fault, BadJson);

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
