//! `POST /api/1/login/verify_factor`: sends, polls, or judges a code (contract 5.2). What is pending is 200 here.

use axum::http::StatusCode;
use axum::response::Response;
use domain::FactorKind;
use engine::sign_in::StepAnswer;

use super::error::Error;
use super::{Authenticated, ToShow, origins, step};
use crate::App;
use crate::access::{Access, Authenticate};
use crate::call::Call;
use crate::envelope::{v1_status, v1_success};
use crate::v1::error::pending;

/// What is said of a text message that was just sent.
pub(crate) const SMS_SENT: &str = "SMS token sent to your mobile device. Authentication pending.";

/// Takes a log-in one step further.
pub async fn verify_factor(app: App, access: Access<Authenticate>, call: Call) -> Result<Response, Error> {
    let step = step(&call.json()?, origins(&call), None, access.number_matching())?;
    let sent_type = access.sent_type();
    let stepped = app.engine.sign_in_step_held(step, access.context(), access.hold(&call)).await;
    // What is left of a lock is told as of the answer, or a call that waited would be told more than there is.
    let now = app.engine.now();
    match stepped.map_err(Error::at(now))? {
        StepAnswer::Granted(granted) => Ok(v1_success(&[Authenticated::from(granted)])),
        StepAnswer::Sent(FactorKind::Sms, _) | StepAnswer::Pending(FactorKind::Sms, _) => {
            Ok(v1_status::<()>(StatusCode::OK, sent_type, &SMS_SENT.into(), None))
        }
        StepAnswer::Sent(factor, shown) | StepAnswer::Pending(factor, shown) => {
            Ok(v1_status(StatusCode::OK, "pending", &pending(factor).into(), ToShow::of(shown).as_ref()))
        }
        StepAnswer::Refused(reason) => Err(Error::of_reason(reason, now)),
    }
}
