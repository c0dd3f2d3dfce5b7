//! The errors that all endpoints share, in the words of each family (contract 1.7).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use engine::{Fault, PollError};

use crate::wire::call::BadJson;
use crate::wire::envelope::{StatusMessage, v1_error, v2_error};
use crate::wire::reason::because;

/// Both versions, for a number of a country that is not in `messages.countries`.
pub(crate) const BAD_COUNTRY: &str = "number is not in an allowed country";

/// A family of endpoints: it decides how the shared errors look (contract 1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// `/api/1` and `/auth`.
    V1,
    /// MFA under `/api/2`.
    V2Mfa,
    /// Users under `/api/2`.
    V2Users,
}

#[derive(Debug)]
pub(crate) enum CommonError {
    /// No usable `Authorization` header.
    HeaderMissing,
    /// The token is unknown, expired or revoked.
    TokenRefused,
    /// The client may not call from this address (SEC 42). Callers see what a refused token looks like.
    AddressRefused,
    ScopeTooSmall,
    /// No such route, or not with this method.
    NoRoute,
    BadJson,
    /// Too many calls or messages; with the seconds to wait, where they are known.
    TooMany(Option<i64>),
    /// The database is unavailable: nothing was accepted and nothing refused (SEC 79).
    Unavailable,
    /// An internal error, logged already.
    Internal,
}

impl CommonError {
    /// Logs an internal error with its causes, once.
    fn fault(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            causes.push(inner.to_string());
            cause = inner.source();
        }
        tracing::error!(%error, causes = causes.join(": "), "a request failed through a fault of ours");
        Self::Internal
    }

    pub(crate) fn answer(&self, family: Family) -> Response {
        because(self.shaped(family), self.code())
    }

    /// The reason in the log.
    fn code(&self) -> &'static str {
        match self {
            Self::HeaderMissing => "no usable Authorization header",
            Self::TokenRefused => "the token is unknown, expired or revoked",
            Self::AddressRefused => "the client may not call from this address (--allow-ip)",
            Self::ScopeTooSmall => "the scope of the token does not cover this call",
            Self::NoRoute => "no such route, or not with this method",
            Self::BadJson => "the body is no JSON object, or its Content-Type is not application/json",
            Self::TooMany(_) => "too many calls",
            Self::Unavailable => "the database is away",
            Self::Internal => "a fault of ours",
        }
    }

    fn shaped(&self, family: Family) -> Response {
        match self {
            Self::HeaderMissing => match family {
                Family::V1 => v1(StatusCode::BAD_REQUEST, "bad request", "Authorization Information is incorrect"),
                Family::V2Mfa => v2(StatusCode::UNAUTHORIZED, "InvalidCredentials", "Please provide valid credentials"),
                Family::V2Users => v2(StatusCode::UNAUTHORIZED, "UnauthorizedError", "Unauthorized"),
            },
            Self::TokenRefused | Self::AddressRefused => match family {
                Family::V1 => v1(StatusCode::UNAUTHORIZED, "Unauthorized", "Authentication Failure"),
                Family::V2Mfa => v2(StatusCode::UNAUTHORIZED, "InvalidCredentials", "Please provide valid credentials"),
                Family::V2Users => v2(StatusCode::UNAUTHORIZED, "UnauthorizedError", "Unauthorized"),
            },
            Self::ScopeTooSmall => match family {
                Family::V1 => v1(StatusCode::UNAUTHORIZED, "Unauthorized", "Insufficient Permission"),
                Family::V2Mfa => v2(
                    StatusCode::FORBIDDEN,
                    "ForbiddenAction",
                    "You are not authorised to perform this action or access the resource",
                ),
                Family::V2Users => v2(StatusCode::FORBIDDEN, "ForbiddenError", "not allowed"),
            },
            Self::NoRoute => match family {
                Family::V1 => v1(StatusCode::NOT_FOUND, "not found", "No Route Exists"),
                Family::V2Mfa | Family::V2Users => v2(StatusCode::NOT_FOUND, "NotFoundError", "No Route Exists"),
            },
            Self::BadJson => match family {
                Family::V1 => v1(StatusCode::BAD_REQUEST, "bad request", "Input JSON is not valid"),
                Family::V2Mfa | Family::V2Users => {
                    v2(StatusCode::BAD_REQUEST, "BadRequestError", "Input JSON is not valid")
                }
            },
            Self::TooMany(seconds) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                let answer = match family {
                    Family::V1 => v1(status, "Too Many Requests", "Rate limit exceeded"),
                    Family::V2Mfa | Family::V2Users => v2(status, "TooManyRequestsError", "Rate limit exceeded"),
                };
                retry_after(answer, *seconds)
            }
            Self::Unavailable => {
                let (status, message) = (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
                let answer = match family {
                    Family::V1 => v1(status, "service unavailable", message),
                    Family::V2Mfa | Family::V2Users => v2(status, "ServiceUnavailableError", message),
                };
                retry_after(answer, Some(1))
            }
            Self::Internal => {
                let (status, message) = (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
                match family {
                    Family::V1 => v1(status, "internal server error", message),
                    Family::V2Mfa | Family::V2Users => v2(status, "InternalServerError", message),
                }
            }
        }
    }
}

/// What can befall any use case, in the words of every endpoint.
impl From<Fault> for CommonError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Busy | Fault::Unavailable(_) => Self::Unavailable,
            fault @ Fault::Internal(_) => Self::fault(&fault),
        }
    }
}

impl From<BadJson> for CommonError {
    fn from(_: BadJson) -> Self {
        Self::BadJson
    }
}

impl From<PollError> for CommonError {
    fn from(error: PollError) -> Self {
        match error {
            PollError::Revoked => Self::TokenRefused,
            PollError::Fault(fault) => fault.into(),
        }
    }
}

/// Lets `?` turn these errors, which all endpoints share, into an error that has a variant `Common`.
macro_rules! common_errors {
    ($error:ty: $($shared:ty),+ $(,)?) => {
        $(impl From<$shared> for $error {
            fn from(shared: $shared) -> Self {
                Self::Common(shared.into())
            }
        })+
    };
}

pub(crate) use common_errors;

/// Adds `Retry-After`, in seconds and at least one.
pub(crate) fn retry_after(mut answer: Response, seconds: Option<i64>) -> Response {
    if let Some(seconds) = seconds {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    answer
}

fn v1(status: StatusCode, kind: &str, message: &str) -> Response {
    v1_error(status, kind, StatusMessage::Text(message.into()))
}

fn v2(status: StatusCode, name: &str, message: &str) -> Response {
    v2_error(status, name, message, None)
}
