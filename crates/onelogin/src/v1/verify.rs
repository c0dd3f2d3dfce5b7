//! `POST /api/1/users/{user_id}/otp_devices/{device_id}/verify`: judges a code, or polls a prompt (contract 4.5).

use axum::response::Response;
use domain::rules::verification::find::Target;
use domain::{DeviceId, Digest, UserId};
use engine::AnswerRequest;

use super::error::{Error, accepted};
use crate::access::{Access, ChallengeV1};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::v1_success_with_echo;
use crate::wire::lenient::Body;

/// The device id in the path that means the temporary token (contract 4.5).
const TEMP_TOKEN: DeviceId = DeviceId(0);

pub(crate) async fn verify(dialect: Dialect, access: Access<ChallengeV1>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let device = call.device_id().ok_or(Error::NoFactor)?;
    let answer = parse(user, device, &call.json()?)?;
    let judged = dialect.engine.verify_held(answer, access.context(), access.hold(&call)).await?;
    accepted(&judged, dialect.engine.now())?;
    Ok(v1_success_with_echo())
}

fn parse(user: UserId, device: DeviceId, body: &Body) -> Result<AnswerRequest, Error> {
    let target = if device == TEMP_TOKEN {
        Target::TempToken
    } else {
        let state_token = body.filled("state_token")?.map(|token| Digest::of(token.as_bytes()));
        Target::Device { device, state_token }
    };
    Ok(AnswerRequest { user, target, response: body.answer(&["otp_token", "otp", "otp_code"])? })
}

#[cfg(test)]
mod tests {
    use domain::FactorResponse;

    use super::*;

    fn parsed(device: i64, text: &str) -> Result<AnswerRequest, Error> {
        parse(UserId(1), DeviceId(device), &Body::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_code_has_three_names_and_two_types() {
        for text in [r#"{"otp_token":"012345"}"#, r#"{"otp":"012345"}"#, r#"{"otp_code":"012345"}"#] {
            assert_eq!(parsed(7, text).unwrap().response, FactorResponse::typed("012345"), "{text}");
        }
        assert_eq!(parsed(7, r#"{"otp_token":12345}"#).unwrap().response, FactorResponse::number(12_345));
        for text in ["", "null", r#"{"otp_token":"","state_token":null}"#] {
            let answer = parsed(7, text).unwrap();
            assert_eq!(answer.response, FactorResponse::none(), "{text}");
            assert_eq!(answer.target, Target::Device { device: DeviceId(7), state_token: None }, "{text}");
        }
        assert!(matches!(parsed(7, r#"{"otp_token":["012345"]}"#), Err(Error::Attribute { .. })));
    }

    #[test]
    fn device_zero_is_the_temporary_token() {
        assert_eq!(parsed(0, r#"{"otp_token":"12345678","state_token":"x"}"#).unwrap().target, Target::TempToken);
    }

    #[test]
    fn an_empty_state_token_is_none() {
        let target = |text: &str| parsed(7, text).unwrap().target;
        let given = Some(Digest::of(b"ab"));
        assert_eq!(target(r#"{"state_token":"ab"}"#), Target::Device { device: DeviceId(7), state_token: given });
        assert_eq!(target(r#"{"state_token":""}"#), Target::Device { device: DeviceId(7), state_token: None });
    }
}
