//! The errors of MFA in version 2 (contract 1.7, 7).
//!
//! One match for each use case turns its error into a row, another the refused answers, a third a row into bytes. None
//! has a wildcard: a new reason does not compile until it has words.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::rules::reaching::Unreachable;
use domain::{DeviceId, Outcome, Reason, Timestamp};
use engine::{ChallengeError, EnrolError, Fault, PollError, TempTokenError, TemplateFault, UpdateUserError, UserError};

use crate::wire::call::BadJson;
use crate::wire::envelope::{v2_error, v2_invalid, v2_invalid_since};
use crate::wire::error::{BAD_COUNTRY, CommonError, Family, common_errors, retry_after};
use crate::wire::lenient::WrongType;

#[derive(Debug)]
pub(crate) enum Error {
    Common(CommonError),
    /// No such user, device, registration or verification of this user, or over.
    NotFound,
    /// The user is suspended or locked by an administrator.
    Forbidden,
    /// Wrong, used, denied, or not evaluated because of a lock; with the seconds that a lock lasts.
    Failed(Option<i64>),
    /// A parameter is missing or not acceptable.
    Invalid(String),
    /// Messages may not go to the number's country.
    BadCountry,
}

impl Error {
    /// `now` turns the end of a wait into its length.
    pub(crate) fn of_enrol(error: EnrolError, now: Timestamp) -> Self {
        match error {
            EnrolError::NoUser => Self::NotFound,
            EnrolError::Barred | EnrolError::NotInvited => Self::Forbidden,
            EnrolError::NotOffered | EnrolError::AlreadyEnrolled => Self::invalid("factor_id"),
            EnrolError::NotTrustable => Self::invalid("verified"),
            EnrolError::BadDeviceName => Self::invalid("display_name"),
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
            ChallengeError::NoUser | ChallengeError::NoDevice => Self::NotFound,
            ChallengeError::Unreachable(why) => why.into(),
            ChallengeError::Locked(until) => Self::Common(CommonError::TooMany(until.map(wait))),
            ChallengeError::TooMany(until) => Self::Common(CommonError::TooMany(Some(wait(until)))),
            ChallengeError::Fault(fault) => fault.into(),
        }
    }

    /// A parameter that is missing or not acceptable.
    pub(crate) fn invalid(parameter: &str) -> Self {
        Self::Invalid(parameter.to_owned())
    }

    fn refused(reason: Reason, now: Timestamp) -> Self {
        match reason {
            Reason::NoUser | Reason::NoDevice | Reason::NotOpen => Self::NotFound,
            Reason::Locked { until, .. } => Self::Failed(until.map(|until| until.retry_after(now))),
            Reason::StateTokenMissing => Self::invalid("state_token"),
            Reason::CodeMissing | Reason::NotTyped => Self::invalid("otp"),
            Reason::WrongCode | Reason::Replay | Reason::Denied => Self::Failed(None),
        }
    }
}

/// What an accepted answer completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The registration or verification that was answered, if it was one.
    pub wire_id: Option<String>,
    /// The device; `None` for a temporary token.
    pub device: Option<DeviceId>,
}

/// What an answer completed, if it was accepted. These endpoints take codes and do not wait: a code does not answer a
/// prompt that is still open.
pub(crate) fn accepted(outcome: Outcome, now: Timestamp) -> Result<Accepted, Error> {
    match outcome {
        Outcome::Accepted { device, wire_id } => Ok(Accepted { wire_id, device }),
        Outcome::Pending { .. } => Err(Error::invalid("otp")),
        Outcome::Refused(reason) => Err(Error::refused(reason, now)),
    }
}

common_errors!(Error: Fault, BadJson, PollError);

impl From<UserError> for Error {
    fn from(error: UserError) -> Self {
        match error {
            UserError::NoUser => Self::NotFound,
            UserError::Fault(fault) => fault.into(),
        }
    }
}

impl From<UpdateUserError> for Error {
    fn from(error: UpdateUserError) -> Self {
        match error {
            UpdateUserError::NoUser => Self::NotFound,
            UpdateUserError::BadField(field) | UpdateUserError::Taken(field) => Self::invalid(field.name()),
            UpdateUserError::BadPassword(_) => Self::invalid("password"),
            UpdateUserError::Fault(fault) => fault.into(),
        }
    }
}

impl From<TempTokenError> for Error {
    fn from(error: TempTokenError) -> Self {
        match error {
            TempTokenError::NoUser => Self::NotFound,
            TempTokenError::Barred => Self::Forbidden,
            TempTokenError::Fault(fault) => fault.into(),
        }
    }
}

impl From<Unreachable> for Error {
    fn from(why: Unreachable) -> Self {
        match why {
            Unreachable::Target => Self::invalid("phone"),
            Unreachable::Country => Self::BadCountry,
        }
    }
}

impl From<TemplateFault> for Error {
    fn from(_: TemplateFault) -> Self {
        Self::invalid("custom_message")
    }
}

impl From<WrongType> for Error {
    fn from(wrong: WrongType) -> Self {
        Self::Invalid(wrong.field)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Common(common) => common.answer(Family::V2Mfa),
            Self::NotFound => v2_error(
                StatusCode::NOT_FOUND,
                "NotFound",
                "The resource can't be found or the server has not found anything matching the Request-URI",
                None,
            ),
            Self::Forbidden => v2_error(
                StatusCode::FORBIDDEN,
                "ForbiddenAction",
                "You are not authorised to perform this action or access the resource",
                None,
            ),
            Self::Failed(seconds) => retry_after(
                v2_error(StatusCode::UNAUTHORIZED, "Unauthorized", "Failed authentication with this factor", None),
                seconds,
            ),
            Self::Invalid(parameter) => v2_invalid(&[&parameter]),
            Self::BadCountry => v2_invalid_since(&["phone"], BAD_COUNTRY),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::FactorKind;

    use super::*;

    fn status(error: Error) -> u16 {
        error.into_response().status().as_u16()
    }

    #[test]
    fn a_refused_answer_is_401_404_or_422() {
        for (reason, expected) in [
            (Reason::NoUser, 404),
            (Reason::NoDevice, 404),
            (Reason::NotOpen, 404),
            (Reason::Locked { by: domain::Rule::UserBarred, until: None }, 401),
            (Reason::WrongCode, 401),
            (Reason::Replay, 401),
            (Reason::Denied, 401),
            (Reason::CodeMissing, 422),
            (Reason::NotTyped, 422),
        ] {
            let refused = accepted(Outcome::Refused(reason), Timestamp(0)).unwrap_err();
            assert_eq!(status(refused), expected, "{reason:?}");
        }
        assert_eq!(
            status(accepted(Outcome::Pending { factor: FactorKind::Push, number: None }, Timestamp(0)).unwrap_err()),
            422
        );
    }

    #[test]
    fn a_lock_tells_how_long_it_lasts() {
        let now = Timestamp(1_000);
        let wait = |error: Error| error.into_response().headers()["retry-after"].to_str().unwrap().to_owned();
        let locked =
            Outcome::Refused(Reason::Locked { by: domain::Rule::UserThrottle, until: Some(Timestamp(61_000)) });
        assert_eq!(wait(accepted(locked, now).unwrap_err()), "60");
        assert_eq!(wait(Error::of_challenge(ChallengeError::Locked(Some(Timestamp(1_001))), now)), "1");
    }
}
