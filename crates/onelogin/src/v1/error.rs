//! The errors of MFA in version 1: status, type and words of each (contract 1.7, 4.5, 13).
//!
//! One match for each use case turns its error into a row, another the refused answers, a third a row into bytes. None
//! has a wildcard: a new reason does not compile until it has words.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::rules::reaching::Unreachable;
use domain::{FactorKind, Outcome, Reason, Timestamp, UserId};
use engine::{ChallengeError, EnrolError, Fault, PollError, TempTokenError, TemplateFault, UserError};

use crate::wire::call::BadJson;
use crate::wire::challenge::pending;
use crate::wire::envelope::{StatusMessage, v1_error, v2_invalid};
use crate::wire::error::{BAD_COUNTRY, CommonError, Family, common_errors, retry_after};
use crate::wire::lenient::WrongType;

#[derive(Debug)]
pub(crate) enum Error {
    Common(CommonError),
    /// The user id in the path is not one.
    BadId,
    /// No such user, as MFA says it.
    NoUser,
    /// No such user, as users and `auth_factors` say it.
    UserNotFound(UserId),
    /// No such factor or device, or not one that can be used here.
    NoFactor,
    /// The user is suspended or locked by an administrator.
    UserLocked,
    /// The state token is unknown, over, used, or another device's.
    StateToken,
    /// The device must be triggered and its state token given.
    StateTokenEmpty,
    CodeEmpty,
    /// Wrong, used, denied, or not evaluated because of a lock; with the seconds that a lock lasts.
    Failed(Option<i64>),
    /// The person has not answered yet.
    Pending {
        factor: FactorKind,
        /// The number to type on the phone, if there is one.
        number: Option<String>,
    },
    /// The number is missing, malformed, or not one messages may go to.
    BadNumber,
    /// Messages may not go to the number's country.
    BadCountry,
    /// A device of this factor cannot be enrolled as verified.
    NotTrustable,
    Attribute {
        name: String,
        /// What is wrong with it.
        description: String,
    },
    /// The life of a temporary token is out of range: the only body under `/api/1` in version 2's shape (decision 29).
    LifeOutOfRange,
}

impl Error {
    /// `now` turns the end of a wait into its length.
    pub(crate) fn of_enrol(error: EnrolError, now: Timestamp) -> Self {
        match error {
            EnrolError::NoUser => Self::NoUser,
            EnrolError::Barred | EnrolError::NotInvited => Self::UserLocked,
            EnrolError::NotOffered | EnrolError::AlreadyEnrolled => Self::NoFactor,
            EnrolError::NotTrustable => Self::NotTrustable,
            EnrolError::BadDeviceName => Self::incorrect("display_name"),
            EnrolError::Unreachable(why) => why.into(),
            EnrolError::TooManyDevices => Self::Common(CommonError::TooMany(None)),
            EnrolError::TooMany(until) => Self::Common(CommonError::TooMany(Some(until.retry_after(now)))),
            EnrolError::Fault(fault) => fault.into(),
        }
    }

    /// The challenge was refused before anything was sent (decision 26). `now` turns the end of a wait into its length.
    pub(crate) fn of_challenge(error: ChallengeError, now: Timestamp) -> Self {
        let wait = |until: Timestamp| until.retry_after(now);
        match error {
            ChallengeError::NoUser => Self::NoUser,
            ChallengeError::NoDevice => Self::NoFactor,
            ChallengeError::Unreachable(why) => why.into(),
            ChallengeError::Locked(until) => Self::Common(CommonError::TooMany(until.map(wait))),
            ChallengeError::TooMany(until) => Self::Common(CommonError::TooMany(Some(wait(until)))),
            ChallengeError::Fault(fault) => fault.into(),
        }
    }

    pub(crate) fn attribute(name: &str, description: &str) -> Self {
        Self::Attribute { name: name.to_owned(), description: description.to_owned() }
    }

    /// An attribute whose value cannot be read or stored.
    pub(crate) fn incorrect(name: &str) -> Self {
        Self::attribute(name, &format!("{name} is incorrect"))
    }

    fn refused(reason: Reason, now: Timestamp) -> Self {
        match reason {
            Reason::NoUser => Self::NoUser,
            Reason::NoDevice => Self::NoFactor,
            Reason::Locked { until, .. } => Self::Failed(until.map(|until| until.retry_after(now))),
            Reason::NotOpen => Self::StateToken,
            Reason::StateTokenMissing => Self::StateTokenEmpty,
            Reason::CodeMissing => Self::CodeEmpty,
            Reason::WrongCode | Reason::Replay | Reason::Denied | Reason::NotTyped => Self::Failed(None),
        }
    }
}

/// `Ok` if the answer was accepted.
pub(crate) fn accepted(outcome: &Outcome, now: Timestamp) -> Result<(), Error> {
    match outcome {
        Outcome::Accepted { .. } => Ok(()),
        Outcome::Pending { factor, number } => Err(Error::Pending { factor: *factor, number: number.clone() }),
        Outcome::Refused(reason) => Err(Error::refused(*reason, now)),
    }
}

common_errors!(Error: Fault, BadJson, PollError);

impl From<UserError> for Error {
    fn from(error: UserError) -> Self {
        match error {
            UserError::NoUser => Self::NoUser,
            UserError::Fault(fault) => fault.into(),
        }
    }
}

impl From<TempTokenError> for Error {
    fn from(error: TempTokenError) -> Self {
        match error {
            TempTokenError::NoUser => Self::NoUser,
            TempTokenError::Barred => Self::UserLocked,
            TempTokenError::Fault(fault) => fault.into(),
        }
    }
}

impl From<Unreachable> for Error {
    fn from(why: Unreachable) -> Self {
        match why {
            Unreachable::Target => Self::BadNumber,
            Unreachable::Country => Self::BadCountry,
        }
    }
}

impl From<TemplateFault> for Error {
    fn from(fault: TemplateFault) -> Self {
        Self::attribute(
            "sms_message",
            match fault {
                TemplateFault::NoCode => "must contain {{otp_code}}",
                TemplateFault::Unclean => "must not contain line breaks or control characters",
                TemplateFault::TooLong => "must not be longer than 160 characters",
            },
        )
    }
}

impl From<WrongType> for Error {
    fn from(wrong: WrongType) -> Self {
        Self::incorrect(&wrong.field)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let bad_request = |message: StatusMessage| v1_error(StatusCode::BAD_REQUEST, "bad request", message);
        let missing = |message: &str| v1_error(StatusCode::BAD_REQUEST, "error", message);
        let unauthorized = |message: &str| v1_error(StatusCode::UNAUTHORIZED, "Unauthorized", message);
        match self {
            Self::Common(common) => common.answer(Family::V1),
            Self::BadId => bad_request(StatusMessage::attribute("id", "ID is incorrect")),
            Self::NoUser => bad_request("User does not exist".into()),
            Self::UserNotFound(user) => {
                v1_error(StatusCode::NOT_FOUND, "not found", format!("User for id {user} was not found"))
            }
            Self::NoFactor => bad_request("Factor could not be found".into()),
            Self::UserLocked => unauthorized("User is locked. Access is unauthorized"),
            Self::StateToken => bad_request("State token is invalid or expired".into()),
            Self::StateTokenEmpty => missing("state_token is empty"),
            Self::CodeEmpty => missing("otp_token is empty"),
            Self::Failed(seconds) => retry_after(unauthorized("Failed authentication with this factor"), seconds),
            Self::Pending { factor, number } => unauthorized(&pending(factor, number.as_deref())),
            Self::BadNumber => bad_request("number is invalid".into()),
            Self::BadCountry => bad_request(BAD_COUNTRY.into()),
            Self::NotTrustable => bad_request("verified is not allowed for this factor".into()),
            Self::Attribute { name, description } => bad_request(StatusMessage::attribute(&name, &description)),
            Self::LifeOutOfRange => v2_invalid(&["expires_in"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(error: Error) -> (u16, Option<String>) {
        let answer = error.into_response();
        let wait = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), wait)
    }

    #[test]
    fn a_lock_tells_how_long_it_lasts_and_nothing_else() {
        let now = Timestamp(1_000);
        let locked = |until| {
            accepted(&Outcome::Refused(Reason::Locked { by: domain::Rule::UserThrottle, until }), now).unwrap_err()
        };
        assert_eq!(row(locked(Some(Timestamp(61_000)))), (401, Some("60".to_owned())));
        assert_eq!(row(locked(None)), (401, None));
        assert_eq!(
            row(Error::of_challenge(ChallengeError::Locked(Some(Timestamp(1_001))), now)),
            (429, Some("1".to_owned()))
        );
    }

    #[test]
    fn every_way_of_being_wrong_is_the_same_401() {
        for reason in [Reason::WrongCode, Reason::Replay, Reason::Denied, Reason::NotTyped] {
            assert!(
                matches!(accepted(&Outcome::Refused(reason), Timestamp(0)), Err(Error::Failed(None))),
                "{reason:?}"
            );
        }
    }
}
