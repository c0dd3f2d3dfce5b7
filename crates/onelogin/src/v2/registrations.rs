//! `…/registrations`: starts enrolling a device, shows the state, and finishes with a code (contract 7.2–7.4).

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::audit::Actor;
use domain::model::factor::{SetupKind, TargetKind};
use domain::rules::reaching::Unreachable;
use domain::rules::verification::find::Target;
use domain::{ClientOptions, FactorKind, Outcome, Purpose, Reason, UserId};
use engine::{AnswerRequest, Confirm, EnrolError, EnrolRequest, EnrolledDevice, PollHold};
use serde::Serialize;
use utoipa::ToSchema;

use super::challenge::{ChallengeTerms, LinkTargets, StateWire, handle, one};
use super::error::{Error, accepted};
use crate::access::{Access, ManageMfa, ReadMfa};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::challenge::{FactorData, reported_ip};
use crate::wire::factor_names::{FactorNames, v2_auth_factor_name};
use crate::wire::lenient::Body;
use crate::wire::profile::CompatProfile;
use crate::wire::target::target;
use crate::wire::time::with_seconds;

#[derive(Serialize, ToSchema)]
#[schema(as = Registration)]
pub(crate) struct Started<'a> {
    id: String,
    status: &'static str,
    user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    auth_factor_name: &'static str,
    type_display_name: &'a str,
    user_display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_data: Option<FactorData>,
}

/// Starts enrolling a device, and sends a code if the factor has one.
pub(crate) async fn start(dialect: Dialect, access: Access<ManageMfa>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::NotFound)?;
    let (body, targets) = (call.json()?, LinkTargets::of(&dialect));
    let request = parse(user, &body, access.profile(), access.options(), (&dialect.options.names, targets))?;
    let factor = request.factor;
    let context = Actor { ip: reported_ip(&body), ..access.context_of(&call) };
    let enrolled = dialect.engine.enrol(request, context).await.map_err(|error| match error {
        EnrolError::Unreachable(Unreachable::Target) if factor.target() == Some(TargetKind::Mail) => {
            Error::invalid("email")
        }
        error => Error::of_enrol(error, dialect.engine.now()),
    })?;
    let started = render(enrolled, user, &dialect.options.names).ok_or(Error::NotFound)?;
    Ok(one(StatusCode::CREATED, access.profile(), &started))
}

pub(crate) async fn read(dialect: Dialect, access: Access<ReadMfa>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::NotFound)?;
    standing(&dialect, user, (call.path("id"), access.hold(&call)), access.profile()).await
}

/// Finishes a registration with a code.
pub(crate) async fn confirm(dialect: Dialect, access: Access<ManageMfa>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::NotFound)?;
    let id = call.path("id");
    let target = Target::Wire { wire_id: id.to_owned(), purpose: Purpose::Enrol, device: None };
    let answer = AnswerRequest { user, target, response: call.json()?.answer(&["otp"])? };
    let outcome = dialect.engine.verify(answer, access.context()).await?;
    if dialect.options.v2_wrong_otp_200
        && matches!(outcome, Outcome::Refused(Reason::WrongCode | Reason::Replay | Reason::Denied))
    {
        return standing(&dialect, user, (id, PollHold::NONE), access.profile()).await;
    }
    let closed = accepted(outcome, dialect.engine.now())?;
    let (Some(id), Some(device)) = (closed.wire_id, closed.device) else { return Err(Error::NotFound) };
    Ok(one(StatusCode::OK, access.profile(), &StateWire::accepted(id, device)))
}

async fn standing(
    dialect: &Dialect,
    user: UserId,
    (id, hold): (&str, PollHold),
    profile: CompatProfile,
) -> Result<Response, Error> {
    let reading = dialect.engine.verification_held(user, id, Purpose::Enrol, hold).await?;
    let standing = reading.and_then(|reading| StateWire::of(reading, true)).ok_or(Error::NotFound)?;
    Ok(one(StatusCode::OK, profile, &standing))
}

fn parse(
    user: UserId,
    body: &Body,
    profile: CompatProfile,
    client: &ClientOptions,
    (names, targets): (&FactorNames, LinkTargets<'_>),
) -> Result<EnrolRequest, Error> {
    let factor = body.int("factor_id")?.and_then(FactorKind::from_number).ok_or(Error::invalid("factor_id"))?;
    let terms = ChallengeTerms::read(body, targets, client)?;
    Ok(EnrolRequest {
        user,
        factor,
        display_name: body.filled("display_name")?,
        default_name: names.v2_type_display_name(factor).to_owned(),
        target: target(body, factor)?,
        trusted: body.flag("verified")?.unwrap_or(false),
        confirm: Confirm::AtOnce,
        handle: handle(profile),
        ttl: if factor == FactorKind::Email { terms.mail_ttl } else { terms.ttl },
        options: client.clone(),
        template: terms.template,
        mail: terms.mail,
        invitation: None,
    })
}

fn render(enrolled: EnrolledDevice, user: UserId, names: &FactorNames) -> Option<Started<'_>> {
    let registration = enrolled.registration?;
    let device = enrolled.device;
    let is_accepted = !registration.status.is_pending();
    // The recorded answer for a pairing has no `expires_at`.
    let has_end = !is_accepted && device.factor.setup() != SetupKind::Pairing;
    Some(Started {
        id: registration.wire_id,
        status: if is_accepted { "accepted" } else { "pending" },
        user_id: user.to_string(),
        device_id: is_accepted.then(|| device.id.to_string()),
        auth_factor_name: v2_auth_factor_name(device.factor),
        type_display_name: names.v2_type_display_name(device.factor),
        user_display_name: device.display_name,
        expires_at: has_end.then(|| with_seconds(registration.expires_at.0)),
        factor_data: enrolled.setup.map(FactorData::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<EnrolRequest, Error> {
        let (client, names) = (ClientOptions::default(), FactorNames::default());
        let targets = LinkTargets { are_offered: true, origins: &[] };
        let body = Body::parse(text.as_bytes()).unwrap();
        parse(UserId(1), &body, CompatProfile::Default, &client, (&names, targets))
    }

    #[test]
    fn a_factor_is_named_by_number_or_digits() {
        assert_eq!(parsed(r#"{"factor_id":5}"#).unwrap().factor, FactorKind::Totp);
        assert_eq!(parsed(r#"{"factor_id":"2"}"#).unwrap().factor, FactorKind::Sms);
        for text in ["{}", r#"{"factor_id":77}"#, r#"{"factor_id":"sms"}"#, r#"{"factor_id":{}}"#] {
            assert!(matches!(parsed(text), Err(Error::Invalid(field)) if field == "factor_id"), "{text}");
        }
    }

    #[test]
    fn a_message_goes_where_the_caller_says() {
        let target = |text: &str| parsed(text).unwrap().target;
        assert_eq!(target(r#"{"factor_id":2,"number":"+14155550123"}"#).as_deref(), Some("+14155550123"));
        assert_eq!(target(r#"{"factor_id":3,"phone":"+14155550123"}"#).as_deref(), Some("+14155550123"));
        assert_eq!(target(r#"{"factor_id":4,"email":"a@example.com","phone":"+1"}"#).as_deref(), Some("a@example.com"));
        assert_eq!(target(r#"{"factor_id":5,"phone":"+14155550123"}"#), None);
    }
}
