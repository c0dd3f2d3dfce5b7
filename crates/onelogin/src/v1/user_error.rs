//! The errors of calls about users in version 1 (contract 1.7, 3.2). One match turns their errors into a row, one
//! those of lists, another a row into bytes; none has a wildcard.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::UserId;
use engine::{Fault, ListError, UpdateUserError};

use crate::dialect::Dialect;
use crate::wire::call::{ApiCall, BadJson};
use crate::wire::envelope::{StatusMessage, v1_error};
use crate::wire::error::{CommonError, Family, common_errors};
use crate::wire::lists::Unreadable;
use crate::wire::paging::BadPage;
use crate::wire::user_field::BadUserField;
use crate::wire::user_password;

#[derive(Debug)]
pub(crate) enum Error {
    Common(CommonError),
    /// The user id in the path is not one.
    BadId,
    /// No such user; with the id as it was asked for.
    NotFound(String),
    /// There is no such thing; its noun, and the id as it was asked for.
    NoSuch(&'static str, String),
    Attribute {
        name: String,
        /// What is wrong with it.
        description: String,
    },
    /// A message that clients know by its words.
    Words(&'static str),
}

impl Error {
    /// The error of a call about a user, for `map_err`.
    pub(crate) fn of<'a, E: Into<UpdateUserError>>(dialect: &'a Dialect, call: &'a ApiCall) -> impl Fn(E) -> Self + 'a {
        move |error| match error.into() {
            UpdateUserError::NoUser => Self::NotFound(call.path("user_id").to_owned()),
            UpdateUserError::Taken(field) => {
                let subdomain = &dialect.engine.settings().account;
                let field = field.name();
                Self::attribute(field, format!("{} must be unique within {subdomain}", capitalised(field)))
            }
            UpdateUserError::BadField(field) => Self::incorrect(field.name()),
            UpdateUserError::BadPassword(why) => Self::Words(user_password::fault(why)),
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

    /// An attribute whose value cannot be read or stored.
    pub(crate) fn incorrect(name: &str) -> Self {
        Self::attribute(name, format!("{name} is incorrect"))
    }

    fn attribute(name: &str, description: String) -> Self {
        Self::Attribute { name: name.to_owned(), description }
    }
}

/// The user of the path.
pub(crate) fn user_id(call: &ApiCall) -> Result<UserId, Error> {
    call.user_id().ok_or(Error::BadId)
}

/// A field's name as the first word of a sentence.
fn capitalised(field: &str) -> String {
    let mut letters = field.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

common_errors!(Error: Fault, BadJson);

impl From<BadUserField> for Error {
    fn from(fault: BadUserField) -> Self {
        match fault {
            BadUserField::Unknown(name) => {
                let description = format!("{name} is not a valid attribute for user model");
                Self::Attribute { name, description }
            }
            BadUserField::Wrong(name) => Self::incorrect(&name),
        }
    }
}

impl From<BadPage> for Error {
    fn from(bad: BadPage) -> Self {
        match bad {
            BadPage::Cursor(name) => Self::incorrect(name),
            BadPage::Sort(_) => Self::incorrect("sort"),
        }
    }
}

impl From<Unreadable> for Error {
    fn from(Unreadable(name): Unreadable) -> Self {
        Self::incorrect(&name)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let bad_request = |message: StatusMessage| v1_error(StatusCode::BAD_REQUEST, "bad request", message);
        match self {
            Self::Common(common) => common.answer(Family::V1),
            Self::NoSuch(noun, id) => {
                v1_error(StatusCode::NOT_FOUND, "not found", format!("{noun} for id {id} was not found"))
            }
            Self::BadId => bad_request(StatusMessage::attribute("id", "ID is incorrect")),
            Self::NotFound(id) => {
                v1_error(StatusCode::NOT_FOUND, "not found", format!("User for id {id} was not found"))
            }
            Self::Attribute { name, description } => bad_request(StatusMessage::attribute(&name, &description)),
            Self::Words(words) => bad_request(words.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_begins_a_sentence() {
        assert_eq!(capitalised("username"), "Username");
    }
}
