//! The errors of the log-in flow in version 1, and of assertions in version 2 (contract 5.1, 5.2, 6).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::rules::app::Unassertable;
use domain::rules::reaching::Unreachable;
use domain::rules::sign_in::LoginRefusal;
use domain::{Reason, Timestamp};
use engine::{Fault, LoginStepError};

use crate::wire::call::BadJson;
use crate::wire::envelope::{StatusMessage, v1_error, v2_error};
use crate::wire::error::Family;
use crate::wire::error::{CommonError, common_errors, retry_after};
use crate::wire::lenient::WrongType;

#[derive(Debug)]
pub(crate) enum Error {
    Common(CommonError),
    /// A field of the log-in is missing.
    Empty(&'static str),
    /// A field of a step is missing.
    StepEmpty(&'static str),
    /// Another account's name.
    Subdomain,
    /// A field cannot be read.
    BadField(String),
    /// The password is wrong, or the user may not log in.
    Refused(LoginRefusal),
    /// No such device.
    NoFactor,
    /// The state token is unknown, over, used, or for something else.
    StateToken,
    CodeEmpty,
    /// Wrong, used, denied, or not evaluated because of a lock; with the seconds that a lock lasts.
    Failed(Option<i64>),
    /// No such app.
    NoApp,
    /// No assertion about this user can be made for the app.
    Unassertable(Unassertable),
    /// The app or account is missing. OneLogin gives no reason here (contract 6.1).
    Bare,
}

impl Error {
    /// `now` turns the end of a wait into its length.
    pub(crate) fn of_step(error: LoginStepError, now: Timestamp) -> Self {
        let wait = |until: Timestamp| until.retry_after(now);
        match error {
            LoginStepError::Unreachable(Unreachable::Target | Unreachable::Country) => Self::NoFactor,
            LoginStepError::Locked(until) => Self::Common(CommonError::TooMany(until.map(wait))),
            LoginStepError::TooMany(until) => Self::Common(CommonError::TooMany(Some(wait(until)))),
            LoginStepError::Revoked => Self::Common(CommonError::TokenRefused),
            LoginStepError::Fault(fault) => fault.into(),
        }
    }

    /// Turns a refused answer into words.
    pub(crate) fn of_reason(reason: Reason, now: Timestamp) -> Self {
        match reason {
            Reason::NoUser | Reason::NotOpen | Reason::StateTokenMissing => Self::StateToken,
            Reason::NoDevice => Self::NoFactor,
            Reason::CodeMissing => Self::CodeEmpty,
            Reason::Locked { until, .. } => Self::Failed(until.map(|until| until.retry_after(now))),
            Reason::WrongCode | Reason::Replay | Reason::Denied | Reason::NotTyped => Self::Failed(None),
        }
    }

    /// Status, version 1's type, and the words.
    fn row(&self) -> (StatusCode, &'static str, StatusMessage) {
        const BAD: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "bad request");
        const MISSING: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "error");
        const NO: (StatusCode, &str) = (StatusCode::UNAUTHORIZED, "Unauthorized");
        let ((status, kind), message) = match self {
            Self::Common(_) => (BAD, "".into()),
            Self::Empty(field) => (BAD, format!("{field} is empty").into()),
            Self::StepEmpty(field) => (MISSING, format!("{field} is empty").into()),
            Self::Subdomain => (BAD, "Invalid subdomain".into()),
            Self::BadField(field) => (BAD, StatusMessage::attribute(field, &format!("{field} is incorrect"))),
            Self::Refused(LoginRefusal::Credentials) => (NO, "Authentication Failed: Invalid user credentials".into()),
            Self::Refused(LoginRefusal::Locked) => (NO, "User is locked. Access is unauthorized".into()),
            Self::Refused(LoginRefusal::Inactive) => (NO, "Access is unauthorized".into()),
            // The password was right: clients read 401 as a wrong one, and 400 with these first letters as what it is.
            Self::Refused(LoginRefusal::NoFactor) => (BAD, "MFA is required but no factor is enrolled".into()),
            Self::NoFactor => (BAD, "Factor could not be found".into()),
            Self::StateToken => (BAD, "State token is invalid or expired".into()),
            Self::CodeEmpty => (MISSING, "OTP token blank".into()),
            Self::Failed(_) => (NO, "Failed authentication with this factor".into()),
            Self::NoApp => ((StatusCode::NOT_FOUND, "not found"), "App not found".into()),
            Self::Unassertable(why) => (BAD, why.to_string().into()),
            Self::Bare => (BAD, "bad request".into()),
        };
        (status, kind, message)
    }

    fn wait(&self) -> Option<i64> {
        if let Self::Failed(seconds) = self { *seconds } else { None }
    }
}

common_errors!(Error: Fault, BadJson);

impl From<Unassertable> for Error {
    fn from(why: Unassertable) -> Self {
        Self::Unassertable(why)
    }
}

impl From<WrongType> for Error {
    fn from(wrong: WrongType) -> Self {
        Self::BadField(wrong.field)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Common(common) = self {
            return common.answer(Family::V1);
        }
        let (status, kind, message) = self.row();
        retry_after(v1_error(status, kind, message), self.wait())
    }
}

/// The same in version 2, for assertions (contract 6).
#[derive(Debug)]
pub(crate) struct ErrorV2(pub Error);

impl<E: Into<Error>> From<E> for ErrorV2 {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ErrorV2 {
    fn into_response(self) -> Response {
        let error = match self.0 {
            Error::Common(common) => return common.answer(Family::V2Mfa),
            error => error,
        };
        let (status, _, message) = error.row();
        let name = match status {
            StatusCode::UNAUTHORIZED => "Unauthorized",
            StatusCode::NOT_FOUND => "NotFound",
            _ => "Bad Request",
        };
        let message = match message {
            StatusMessage::Text(text) => text,
            StatusMessage::Attribute { description, .. } => description,
        };
        retry_after(v2_error(status, name, &message, None), error.wait())
    }
}
