//! `…/verifications`: challenges a device, verifies a code with or without naming the challenge, and shows the state of a
//! challenge (contract 7.7–7.10).

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::audit::Actor;
use domain::rules::factor::temp_token;
use domain::rules::verification::find::Target;
use domain::{ClientOptions, DeviceId, FactorResponse, Purpose, UserId};
use engine::{AnswerRequest, CallStyle, OpenRequest, OpenedVerification};
use serde::Serialize;
use utoipa::ToSchema;

use super::challenge::{ChallengeTerms, LinkTargets, StateWire, handle, one, user_of};
use super::error::{Error, accepted};
use crate::access::{Access, ReadInLogIn, VerifyInLogIn};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::challenge::{FactorData, reported_ip};
use crate::wire::envelope::v1_success_with_echo_and;
use crate::wire::factor_names::{FactorNames, v2_auth_factor_name};
use crate::wire::lenient::{Body, WrongType};
use crate::wire::profile::CompatProfile;
use crate::wire::time::with_seconds;

#[derive(Serialize, ToSchema)]
#[schema(as = Challenge)]
pub(crate) struct Opened<'a> {
    id: String,
    status: &'static str,
    user_id: String,
    device_id: ShownDevice,
    user_display_name: String,
    type_display_name: &'a str,
    auth_factor_name: &'static str,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_data: Option<FactorData>,
}

/// A text, except for Python SDK 4, whose model takes only a number here (contract 14.1).
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceId)]
#[serde(untagged)]
enum ShownDevice {
    Text(String),
    Number(i64),
}

/// An accepted verification: the live service's answer together with the documented one (contract 7.9).
#[derive(Serialize, ToSchema)]
#[schema(as = Verified)]
pub(crate) struct Verified {
    #[serde(flatten)]
    standing: StateWire,
    r#type: &'static str,
    code: u16,
    message: &'static str,
    error: bool,
    name: &'static str,
}

/// Challenges a device. With a code in the body, it verifies that code instead.
pub(crate) async fn start(dialect: Dialect, access: Access<VerifyInLogIn>, call: ApiCall) -> Result<Response, Error> {
    let user = user_of(&dialect, &access, &call).await?;
    let body = call.json()?;
    let code = body.answer(&["otp"])?;
    if code.is_absent() {
        let request = parse(user, &body, access.profile(), access.options(), LinkTargets::of(&dialect))?;
        let context = Actor { ip: reported_ip(&body), ..access.context_of(&call) };
        let opened = dialect.engine.open_verification(request, context).await;
        let opened = opened.map_err(|error| Error::of_challenge(error, dialect.engine.now()))?;
        return Ok(one(
            StatusCode::CREATED,
            access.profile(),
            &render(user, opened, access.profile(), &dialect.options.names),
        ));
    }
    let answer = AnswerRequest { user, target: target(&body, &code)?, response: code };
    let outcome = dialect.engine.verify(answer, access.context()).await?;
    let closed = accepted(outcome, dialect.engine.now())?;
    let id = closed.wire_id.unwrap_or_else(|| dialect.engine.fresh_wire_id(handle(access.profile())));
    let standing = match closed.device {
        Some(device) => StateWire::accepted(id, device),
        None => StateWire::accepted_by_token(id, user),
    };
    Ok(v1_success_with_echo_and(&[standing]))
}

pub(crate) async fn read(dialect: Dialect, access: Access<ReadInLogIn>, call: ApiCall) -> Result<Response, Error> {
    let user = user_of(&dialect, &access, &call).await?;
    let reading = dialect.engine.verification_held(user, call.path("id"), Purpose::Login, access.hold(&call)).await?;
    let standing = reading.and_then(|reading| StateWire::of(reading, false)).ok_or(Error::NotFound)?;
    // Who read what (contract 7.10). At debug, since polls read often.
    tracing::debug!(client = ?access.context().client, %user, status = standing.status(), "a verification was read");
    Ok(one(StatusCode::OK, access.profile(), &standing))
}

/// Answers a verification with a code.
pub(crate) async fn confirm(dialect: Dialect, access: Access<VerifyInLogIn>, call: ApiCall) -> Result<Response, Error> {
    let user = user_of(&dialect, &access, &call).await?;
    let body = call.json()?;
    let target =
        Target::Wire { wire_id: call.path("id").to_owned(), purpose: Purpose::Login, device: device_id(&body)? };
    let answer = AnswerRequest { user, target, response: body.answer(&["otp"])? };
    let outcome = dialect.engine.verify(answer, access.context()).await?;
    let closed = accepted(outcome, dialect.engine.now())?;
    let (Some(id), Some(device)) = (closed.wire_id, closed.device) else { return Err(Error::NotFound) };
    let verified = Verified {
        standing: StateWire::accepted(id, device),
        r#type: "success",
        code: 200,
        message: "Success",
        error: false,
        name: "Success",
    };
    Ok(one(StatusCode::OK, access.profile(), &verified))
}

fn parse(
    user: UserId,
    body: &Body,
    profile: CompatProfile,
    options: &ClientOptions,
    targets: LinkTargets<'_>,
) -> Result<OpenRequest, Error> {
    let device = device_id(body)?.ok_or(Error::invalid("device_id"))?;
    let terms = ChallengeTerms::read(body, targets, options)?;
    Ok(OpenRequest {
        user,
        device,
        handle: handle(profile),
        confirms: false,
        ttl: terms.ttl,
        mail_ttl: terms.mail_ttl,
        numeric: true,
        call: CallStyle::TakesDigits,
        options: options.clone(),
        template: terms.template,
        mail: terms.mail,
    })
}

fn device_id(body: &Body) -> Result<Option<DeviceId>, WrongType> {
    Ok(body.int("device_id")?.map(DeviceId))
}

/// What a code is for that names no verification (decision 25).
fn target(body: &Body, code: &FactorResponse) -> Result<Target, WrongType> {
    Ok(match device_id(body)? {
        Some(device) => Target::OwnCodes(device),
        None if temp_token::has_form(code) => Target::TempToken,
        None => Target::Newest,
    })
}

fn render(user: UserId, opened: OpenedVerification, profile: CompatProfile, names: &FactorNames) -> Opened<'_> {
    let device = opened.device;
    Opened {
        id: opened.verification.wire_id,
        status: "pending",
        user_id: user.to_string(),
        device_id: if profile == CompatProfile::Python4 {
            ShownDevice::Number(device.id.0)
        } else {
            ShownDevice::Text(device.id.to_string())
        },
        user_display_name: device.display_name,
        type_display_name: names.v2_type_display_name(device.factor),
        auth_factor_name: v2_auth_factor_name(device.factor),
        expires_at: with_seconds(opened.verification.expires_at.0),
        factor_data: opened.setup.map(FactorData::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aimed(text: &str) -> Target {
        let body = Body::parse(text.as_bytes()).unwrap();
        target(&body, &body.answer(&["otp"]).unwrap()).unwrap()
    }

    #[test]
    fn a_code_alone_is_aimed_by_its_form() {
        assert_eq!(aimed(r#"{"otp":"123456"}"#), Target::Newest);
        assert_eq!(aimed(r#"{"otp":123456}"#), Target::Newest);
        assert_eq!(aimed(r#"{"otp":"12345678"}"#), Target::TempToken);
        assert_eq!(aimed(r#"{"otp":12345678}"#), Target::TempToken);
        assert_eq!(aimed(r#"{"otp":"1234567x"}"#), Target::Newest);
    }

    #[test]
    fn a_code_with_a_device_is_that_devices() {
        assert_eq!(aimed(r#"{"otp":"123456","device_id":"98765"}"#), Target::OwnCodes(DeviceId(98_765)));
        assert_eq!(aimed(r#"{"otp":"12345678","device_id":98765}"#), Target::OwnCodes(DeviceId(98_765)));
    }

    #[test]
    fn a_challenge_needs_a_device() {
        let options = ClientOptions::default();
        let targets = LinkTargets { are_offered: true, origins: &[] };
        let body = |text: &str| Body::parse(text.as_bytes()).unwrap();
        let parsed = |text: &str| parse(UserId(1), &body(text), CompatProfile::Default, &options, targets);
        assert_eq!(parsed(r#"{"device_id":"98765","display_name":"ignored"}"#).unwrap().device, DeviceId(98_765));
        for text in ["", r#"{"device_id":null,"otp":""}"#, r#"{"device_id":"x"}"#, r#"{"device_id":[1]}"#] {
            assert!(matches!(parsed(text), Err(Error::Invalid(field)) if field == "device_id"), "{text}");
        }
    }

    #[test]
    fn an_accepted_verification_has_both_shapes_in_one() {
        let verified = Verified {
            standing: StateWire::accepted("afc1".to_owned(), DeviceId(3_920_371)),
            r#type: "success",
            code: 200,
            message: "Success",
            error: false,
            name: "Success",
        };
        assert_eq!(
            serde_json::to_string(&verified).unwrap(),
            r#"{"id":"afc1","status":"accepted","device_id":"3920371","type":"success","code":200,"message":"Success","error":false,"name":"Success"}"#
        );
    }
}
