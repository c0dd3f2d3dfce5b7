//! `POST /api/1/users/{user_id}/otp_devices`: enrols a device (contract 4.2). Nothing is sent: the caller triggers.

use axum::response::Response;
use domain::model::factor::TargetKind;
use domain::model::time::MINUTE;
use domain::rules::reaching::Unreachable;
use domain::{ClientOptions, DeviceStatus, FactorKind, UserId};
use engine::{Confirm, EnrolError, EnrolRequest, EnrolledDevice, Handle, MailRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::{Access, ManageUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::challenge::FactorData;
use crate::wire::envelope::v1_success;
use crate::wire::factor_names::{FactorNames, v1_auth_factor_name};
use crate::wire::lenient::Body;
use crate::wire::target::target;

/// Life of the state token and of a pairing code, in milliseconds. The call has no field for it, and pairing a phone takes a
/// person a while.
const TTL: i64 = 15 * MINUTE;

/// Here `id` is the device's, and `device_id` repeats it (contract 14.8).
#[derive(Serialize, ToSchema)]
#[schema(as = V1Enrolled)]
pub(crate) struct Enrolled<'a> {
    active: bool,
    default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_token: Option<String>,
    auth_factor_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    type_display_name: &'a str,
    needs_trigger: bool,
    user_display_name: String,
    id: i64,
    device_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_data: Option<FactorData>,
}

pub(crate) async fn enrol(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let request = parse(user, &call.json()?, &dialect.options.names)?;
    let factor = request.factor;
    let enrolled = dialect.engine.enrol(request, access.context()).await.map_err(|error| match error {
        EnrolError::Unreachable(Unreachable::Target) if factor.target() == Some(TargetKind::Mail) => {
            Error::attribute("email", "email is invalid")
        }
        error => Error::of_enrol(error, dialect.engine.now()),
    })?;
    Ok(v1_success(&[render(enrolled, &dialect.options.names)]))
}

fn parse(user: UserId, body: &Body, names: &FactorNames) -> Result<EnrolRequest, Error> {
    let factor = body.int("factor_id")?.and_then(FactorKind::from_number).ok_or(Error::NoFactor)?;
    Ok(EnrolRequest {
        user,
        factor,
        display_name: body.filled("display_name")?,
        default_name: names.v1_type_display_name(factor).to_owned(),
        target: target(body, factor)?,
        trusted: body.flag("verified")?.unwrap_or(false),
        confirm: Confirm::WhenTriggered,
        handle: Handle::StateToken,
        ttl: TTL,
        // Nothing is sent before a trigger.
        options: ClientOptions::default(),
        template: None,
        mail: MailRequest::AsSet,
        invitation: None,
    })
}

fn render(enrolled: EnrolledDevice, names: &FactorNames) -> Enrolled<'_> {
    let device = enrolled.device;
    Enrolled {
        active: device.status == DeviceStatus::Active,
        default: enrolled.is_default,
        state_token: enrolled.state_token,
        auth_factor_name: v1_auth_factor_name(device.factor),
        phone_number: enrolled.phone,
        type_display_name: names.v1_type_display_name(device.factor),
        needs_trigger: device.factor.needs_trigger(),
        user_display_name: device.display_name,
        id: device.id.0,
        device_id: device.id.0,
        factor_data: enrolled.setup.map(FactorData::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<EnrolRequest, Error> {
        parse(UserId(1), &Body::parse(text.as_bytes()).unwrap(), &FactorNames::default())
    }

    #[test]
    fn a_number_is_read_only_for_telephones() {
        let request = parsed(r#"{"factor_id":"2","display_name":"Ana's phone","number":"+14155550123"}"#).unwrap();
        assert_eq!((request.factor, request.target.as_deref()), (FactorKind::Sms, Some("+14155550123")));
        assert_eq!(
            parsed(r#"{"factor_id":3,"phone":"+14155550123"}"#).unwrap().target.as_deref(),
            Some("+14155550123")
        );
        assert_eq!(parsed(r#"{"factor_id":2,"number":"","phone":null}"#).unwrap().target, None);
        assert_eq!(parsed(r#"{"factor_id":5,"number":"+14155550123"}"#).unwrap().target, None);
    }

    #[test]
    fn a_missing_or_unknown_factor_is_not_found() {
        for text in ["{}", r#"{"factor_id":null}"#, r#"{"factor_id":99}"#, r#"{"factor_id":-1}"#] {
            assert!(matches!(parsed(text), Err(Error::NoFactor)), "{text}");
        }
        assert!(matches!(parsed(r#"{"factor_id":[2]}"#), Err(Error::Attribute { .. })));
        assert!(matches!(parsed(r#"{"factor_id":2,"verified":"yes"}"#), Err(Error::Attribute { .. })));
    }

    #[test]
    fn a_device_without_a_name_is_called_after_its_factor() {
        let request = parsed(r#"{"factor_id":5,"display_name":""}"#).unwrap();
        assert_eq!((request.display_name, request.default_name.as_str()), (None, "Google Authenticator"));
    }
}
