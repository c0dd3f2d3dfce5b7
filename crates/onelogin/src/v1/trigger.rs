//! `POST /api/1/users/{user_id}/otp_devices/{device_id}/trigger`: challenges a device (contract 4.4).

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::time::SECOND;
use domain::{ClientOptions, DeviceId, DeviceStatus, FactorKind, UserId};
use engine::{CallStyle, Handle, MailRequest, MessageTemplate, OpenRequest, OpenedVerification, minutes};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::{Access, ChallengeV1};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::challenge::{SMS_SENT, pending, reported_ip};
use crate::wire::envelope::v1_status;
use crate::wire::factor_names::{FactorNames, v1_auth_factor_name};
use crate::wire::lenient::Body;
use crate::wire::profile::CompatProfile;
use crate::wire::time::with_seconds;

/// Default life of a state token, in seconds.
const DEFAULT_LIFE: i64 = 120;
/// The longest life in seconds; a life out of range is clamped (decision 29c).
const MAX_LIFE: i64 = 900;

/// Here `id` is the user's, and the device's is in `device_id` (contract 14.7).
#[derive(Serialize, ToSchema)]
#[schema(as = V1Triggered)]
pub(crate) struct Triggered<'a> {
    user_display_name: String,
    active: bool,
    default: bool,
    state_token: Option<String>,
    state_token_expires_at: String,
    auth_factor_name: &'static str,
    type_display_name: &'a str,
    id: i64,
    device_id: i64,
    /// The number that the person types on the phone, for clients with number matching (SEC 12).
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_token: Option<String>,
}

/// The shape that Python SDK 4 reads: the device as in a list of devices, with its state token (contract 14.6).
#[derive(Serialize, ToSchema)]
#[schema(as = V1TriggeredDevices)]
pub(crate) struct OtpDevices<'a> {
    otp_devices: [OtpDevice<'a>; 1],
}

#[derive(Serialize, ToSchema)]
#[schema(as = V1TriggeredDevice)]
pub(crate) struct OtpDevice<'a> {
    needs_trigger: bool,
    #[serde(flatten)]
    triggered: Triggered<'a>,
}

/// Challenges a device: sends a code or a prompt where the factor has one, and issues a state token.
pub(crate) async fn trigger(dialect: Dialect, access: Access<ChallengeV1>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let device = call.device_id().ok_or(Error::NoFactor)?;
    let body = call.json()?;
    let request = parse(user, device, &body, access.options())?;
    let mut context = access.context_of(&call);
    context.ip = reported_ip(&body);
    let opened = dialect.engine.open_verification(request, context).await;
    let opened = opened.map_err(|error| Error::of_challenge(error, dialect.engine.now()))?;
    Ok(answer(user, opened, access.profile(), &dialect.options.names))
}

fn parse(user: UserId, device: DeviceId, body: &Body, options: &ClientOptions) -> Result<OpenRequest, Error> {
    let life = body.int("state_token_expires_in")?.or(body.int("expires_in")?).unwrap_or(DEFAULT_LIFE);
    let ttl = life.clamp(1, MAX_LIFE) * SECOND;
    let host = options.webotp_host.as_ref();
    let template = body.filled("sms_message")?.map(|text| MessageTemplate::parse(&text, minutes(ttl), host));
    Ok(OpenRequest {
        user,
        device,
        handle: Handle::StateToken,
        confirms: true,
        ttl,
        mail_ttl: ttl,
        numeric: body.flag("numeric_sms_otp")?.unwrap_or(false),
        call: CallStyle::SpeaksCode,
        options: options.clone(),
        template: template.transpose()?,
        mail: MailRequest::AsSet,
    })
}

fn answer(user: UserId, opened: OpenedVerification, profile: CompatProfile, names: &FactorNames) -> Response {
    let factor = opened.device.factor;
    let number = opened.setup.as_ref().map(|setup| setup.verification_token.as_str());
    let message = message(factor, number).into();
    let triggered = Triggered {
        active: opened.device.status != DeviceStatus::Pending,
        user_display_name: opened.device.display_name,
        default: opened.is_default,
        state_token: opened.state_token,
        state_token_expires_at: with_seconds(opened.verification.expires_at.0),
        auth_factor_name: v1_auth_factor_name(factor),
        type_display_name: names.v1_type_display_name(factor),
        id: user.0,
        device_id: opened.device.id.0,
        verification_token: opened.setup.map(|setup| setup.verification_token),
    };
    if profile == CompatProfile::Python4 {
        let triggered = Triggered { id: triggered.device_id, ..triggered };
        let device = OtpDevice { needs_trigger: factor.needs_trigger(), triggered };
        v1_status(StatusCode::OK, "success", &message, Some(&OtpDevices { otp_devices: [device] }))
    } else {
        v1_status(StatusCode::OK, "success", &message, Some(&[triggered]))
    }
}

/// The message of the status. Polls are answered with the same words, except for a text message.
fn message(factor: FactorKind, number: Option<&str>) -> String {
    match factor {
        FactorKind::Sms => SMS_SENT.to_owned(),
        FactorKind::Push | FactorKind::Voice | FactorKind::Email | FactorKind::Totp | FactorKind::Hotp => {
            pending(factor, number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<OpenRequest, Error> {
        parse(UserId(1), DeviceId(2), &Body::parse(text.as_bytes()).unwrap(), &ClientOptions::default())
    }

    #[test]
    fn a_life_out_of_range_is_moved_into_it() {
        for (text, seconds) in [
            ("", 120),
            (r#"{"state_token_expires_in":300}"#, 300),
            (r#"{"state_token_expires_in":"300"}"#, 300),
            (r#"{"expires_in":300}"#, 300),
            (r#"{"state_token_expires_in":0}"#, 1),
            (r#"{"state_token_expires_in":-5}"#, 1),
            (r#"{"state_token_expires_in":901}"#, 900),
            (r#"{"state_token_expires_in":9223372036854775807}"#, 900),
        ] {
            assert_eq!(parsed(text).unwrap().ttl, seconds * SECOND, "{text}");
        }
    }

    #[test]
    fn a_template_needs_the_code() {
        assert!(parsed(r#"{"sms_message":"Code {{otp_code}} for {{expiration}} min"}"#).unwrap().template.is_some());
        assert!(parsed(r#"{"sms_message":""}"#).unwrap().template.is_none());
        for text in [r#"{"sms_message":"no code"}"#, r#"{"sms_message":["{{otp_code}}"]}"#] {
            assert!(matches!(parsed(text), Err(Error::Attribute { name, .. }) if name == "sms_message"), "{text}");
        }
    }

    #[test]
    fn an_address_is_kept_only_if_it_can_be_shown() {
        let ip = |text: &str| reported_ip(&Body::parse(text.as_bytes()).unwrap());
        assert_eq!(ip(r#"{"ipaddr":"203.0.113.7"}"#).as_deref(), Some("203.0.113.7"));
        for text in ["{}", r#"{"ipaddr":""}"#, r#"{"ipaddr":"a\nb"}"#, r#"{"ipaddr":{}}"#, r#"{"ipaddr":"a\u200eb"}"#] {
            assert_eq!(ip(text), None, "{text}");
        }
        assert_eq!(ip(&format!(r#"{{"ipaddr":"{}"}}"#, "1".repeat(65))), None);
    }

    #[test]
    fn every_message_but_success_says_that_authentication_is_pending() {
        for factor in FactorKind::ALL {
            assert!(message(factor, None).contains("Authentication pending"), "{factor:?}");
        }
    }
}
