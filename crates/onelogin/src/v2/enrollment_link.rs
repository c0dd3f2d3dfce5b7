//! `POST …/enrollment_link`: invites a person to enrol (contract 21.1).

use axum::http::StatusCode;
use axum::response::Response;
use domain::Channel;
use domain::model::time::{DAY, SECOND};
use engine::{InvitationRequest, InviteError};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::{Access, ManageUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::error::CommonError;
use crate::wire::lenient::Body;
use crate::wire::time::with_seconds;

#[derive(Serialize, ToSchema)]
#[schema(as = EnrollmentLink)]
pub(crate) struct Made {
    url: String,
    expires_at: String,
    delivered: Option<&'static str>,
}

/// Makes a link by which the person enrols. It ends the one before.
pub(crate) async fn make(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let request = parse(call.user_id().ok_or(Error::NotFound)?, &call.json()?)?;
    let made = dialect.engine.invite(request, access.context_of(&call)).await;
    let made = made.map_err(|error| match error {
        InviteError::NoUser => Error::NotFound,
        InviteError::Barred => Error::Forbidden,
        InviteError::HasDevice => Error::invalid("replace"),
        InviteError::Life => Error::invalid("expires_in"),
        InviteError::NoAddress => Error::invalid("public_url"),
        InviteError::Undeliverable => Error::invalid("deliver"),
        InviteError::TooMany(until) => {
            Error::Common(CommonError::TooMany(Some(until.retry_after(dialect.engine.now()))))
        }
        InviteError::Unreachable(why) => why.into(),
        InviteError::Fault(fault) => fault.into(),
    })?;
    let delivered = request.deliver.map(Channel::name);
    let made = Made { url: made.url, expires_at: with_seconds(made.expires_at.0), delivered };
    Ok(json(StatusCode::CREATED, &made))
}

fn parse(user: domain::UserId, body: &Body) -> Result<InvitationRequest, Error> {
    let deliver = match body.filled("deliver")?.as_deref() {
        None => None,
        Some("email") => Some(Channel::Email),
        Some("sms") => Some(Channel::Sms),
        Some(_) => return Err(Error::invalid("deliver")),
    };
    let seconds = body.int("expires_in")?.unwrap_or(DAY / SECOND);
    Ok(InvitationRequest {
        user,
        ttl: seconds.saturating_mul(SECOND),
        replaces: body.flag("replace")?.unwrap_or(false),
        deliver,
    })
}

#[cfg(test)]
mod tests {
    use domain::UserId;

    use super::*;

    fn parsed(text: &str) -> Result<InvitationRequest, Error> {
        parse(UserId(7), &Body::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_not_said_is_a_day_without_replacing_or_sending() {
        let request = parsed("{}").unwrap();
        assert_eq!((request.ttl, request.replaces, request.deliver), (DAY, false, None));
        let said = parsed(r#"{"expires_in":"900","replace":"true","deliver":"email"}"#).unwrap();
        assert_eq!((said.ttl, said.replaces, said.deliver), (900 * SECOND, true, Some(Channel::Email)));
        for bad in [r#"{"deliver":"voice"}"#, r#"{"deliver":"fax"}"#, r#"{"expires_in":"soon"}"#] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
