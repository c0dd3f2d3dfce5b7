//! `/api/2/smart-mfa`: scores the risk of a visit, and sends a code only if it is high (contract 8).

use std::net::IpAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::rules::reaching::Unreachable;
use domain::{ClientOptions, Outcome, Reason, Timestamp, VerificationId};
use engine::{ChallengeError, CodeChannel, EnrolError, JudgedVisit, VisitError, VisitRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Error as MfaError, accepted};
use crate::access::{Access, ManageAll};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{json, v2_error};
use crate::wire::lenient::{Body, WrongType};

/// Default score from which a code is sent.
const THRESHOLD: i64 = 50;
/// Default life of a code, in seconds.
const LIFE: i64 = 480;
/// Longest life in seconds.
const MAX_LIFE: i64 = 900;

#[derive(Serialize, ToSchema)]
#[schema(as = Visit)]
pub(crate) struct VisitWire {
    user_id: i64,
    /// One client reads the member by this name (contract 8).
    #[serde(rename = "userId")]
    user_id_too: i64,
    risk: RiskWire,
    mfa: MfaWire,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Risk)]
struct RiskWire {
    score: u8,
    reasons: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = VisitCode)]
struct MfaWire {
    otp_sent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_token: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Error {
    Common(MfaError),
    /// The state token is unknown or expired.
    StateToken,
}

impl<E: Into<MfaError>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Common(error.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Common(common) => common.into_response(),
            Self::StateToken => {
                v2_error(StatusCode::BAD_REQUEST, "BadRequestError", "State token is invalid or expired", None)
            }
        }
    }
}

pub(crate) async fn visit(dialect: Dialect, access: Access<ManageAll>, call: ApiCall) -> Result<Response, Error> {
    let request = read(&call.json()?, access.options())?;
    let channel = channel_field(&request.channel);
    let judged = dialect.engine.visit(request, access.context()).await;
    let JudgedVisit { user, risk, sent } = judged.map_err(|error| refused(error, channel, dialect.engine.now()))?;
    Ok(json(
        StatusCode::OK,
        &VisitWire {
            user_id: user.0,
            user_id_too: user.0,
            risk: RiskWire { score: risk.score, reasons: risk.reasons },
            mfa: MfaWire { otp_sent: sent.is_some(), state_token: sent.map(|id| id.to_string()) },
        },
    ))
}

/// Verifies the code of a visit. The documentation answers `OK`; one client reads JSON, so it is an empty object.
pub(crate) async fn verify(dialect: Dialect, access: Access<ManageAll>, call: ApiCall) -> Result<Response, Error> {
    let body = call.json()?;
    let token = body.filled("state_token")?.ok_or_else(|| MfaError::invalid("state_token"))?;
    let code = body.answer(&["otp_token"])?;
    if code.is_absent() {
        return Err(MfaError::invalid("otp_token").into());
    }
    let asked = token.parse().map(VerificationId).map_err(|_| Error::StateToken)?;
    match dialect.engine.prove_visit(asked, code, access.context()).await? {
        Outcome::Refused(Reason::NotOpen | Reason::NoUser | Reason::NoDevice) => Err(Error::StateToken),
        outcome => {
            accepted(outcome, dialect.engine.now())?;
            Ok(json(StatusCode::OK, &serde_json::Map::new()))
        }
    }
}

/// `channel` is the member that names the channel; `now` turns the end of a wait into its length.
fn refused(error: VisitError, channel: &str, now: Timestamp) -> MfaError {
    match error {
        VisitError::Channel
        | VisitError::Enrol(EnrolError::Unreachable(Unreachable::Target) | EnrolError::NotOffered)
        | VisitError::Challenge(ChallengeError::Unreachable(Unreachable::Target)) => MfaError::invalid(channel),
        VisitError::Barred => MfaError::Forbidden,
        VisitError::User(error) => error.into(),
        VisitError::Enrol(error) => MfaError::of_enrol(error, now),
        VisitError::Challenge(error) => MfaError::of_challenge(error, now),
        VisitError::Fault(fault) => fault.into(),
    }
}

fn channel_field(channel: &CodeChannel) -> &'static str {
    match channel {
        CodeChannel::Email(_) => "email",
        CodeChannel::Phone(_) => "phone",
    }
}

fn read(body: &Body, options: &ClientOptions) -> Result<VisitRequest, MfaError> {
    let channel = match (body.filled("email")?, body.filled("phone")?) {
        (Some(address), None) => CodeChannel::Email(address),
        (None, Some(number)) if domain::model::text::phone(&number).is_none() => {
            return Err(MfaError::invalid("phone"));
        }
        (None, Some(number)) => CodeChannel::Phone(number),
        (None, None) => return Err(MfaError::invalid("email")),
        (Some(_), Some(_)) => return Err(MfaError::invalid("phone")),
    };
    let context = match body.get("context") {
        Some(serde_json::Value::Object(context)) => Body::new(context.clone()),
        _ => return Err(MfaError::invalid("context")),
    };
    let within = |field: &str| -> Result<String, MfaError> {
        let name = format!("context.{field}");
        let text = context.filled(field).map_err(|WrongType { .. }| MfaError::invalid(&name))?;
        text.ok_or_else(|| MfaError::invalid(&name))
    };
    let ip: IpAddr = within("ip")?.trim().parse().map_err(|_| MfaError::invalid("context.ip"))?;
    let threshold = body.int("risk_threshold")?.unwrap_or(THRESHOLD);
    if !(0..=100).contains(&threshold) {
        return Err(MfaError::invalid("risk_threshold"));
    }
    let life = body.int("expires_in")?.unwrap_or(LIFE);
    if !(1..=MAX_LIFE).contains(&life) {
        return Err(MfaError::invalid("expires_in"));
    }
    let mut texts = Vec::new();
    for name in ["firstname", "lastname"] {
        texts.extend(body.filled(name)?.map(|text| (name.to_owned(), Some(text))));
    }
    Ok(VisitRequest {
        username: body.filled("user_identifier")?.ok_or_else(|| MfaError::invalid("user_identifier"))?,
        channel,
        ip,
        user_agent: within("user_agent")?,
        threshold,
        life,
        options: options.clone(),
        texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Result<VisitRequest, String> {
        read(&Body::parse(text.as_bytes()).unwrap(), &ClientOptions::default()).map_err(|error| match error {
            MfaError::Invalid(field) => field,
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn a_visit_needs_a_name_one_channel_and_a_context() {
        let whole = r#"{"user_identifier":"ana","email":"a@b.c","context":{"ip":"192.0.2.1","user_agent":"curl"}}"#;
        let read = given(whole).unwrap();
        assert_eq!((read.threshold, read.life), (50, 480));
        for (text, field) in [
            (whole.replace("user_identifier", "name"), "user_identifier"),
            (whole.replace("email", "mail"), "email"),
            (whole.replace(r#""email""#, r#""phone":"+14155550101","email""#), "phone"),
            (whole.replace(r#""email":"a@b.c""#, r#""phone":"0170 1234567""#), "phone"),
            (whole.replace("context", "where"), "context"),
            (whole.replace("192.0.2.1", "here"), "context.ip"),
            (whole.replace("user_agent", "agent"), "context.user_agent"),
            (whole.replace(r#""email""#, r#""expires_in":901,"email""#), "expires_in"),
            (whole.replace(r#""email""#, r#""risk_threshold":101,"email""#), "risk_threshold"),
        ] {
            assert_eq!(given(&text).unwrap_err(), field, "{text}");
        }
    }
}
