//! `POST /api/1/login/verify_factor`: sends a code, polls, or verifies a code (contract 5.2). Pending is 200 here.

use axum::http::StatusCode;
use axum::response::Response;
use domain::FactorKind;
use engine::{LoginStepAnswer, PromptNumber};

use crate::access::{Access, Authenticate};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::challenge::{SMS_SENT, pending};
use crate::wire::envelope::{v1_status, v1_success};
use crate::wire::log_in::error::Error;
use crate::wire::log_in::{Authenticated, NumberToShow, step};
use crate::wire::origin::origins;

pub(crate) async fn verify_factor(
    dialect: Dialect,
    access: Access<Authenticate>,
    call: ApiCall,
) -> Result<Response, Error> {
    let step = step(&call.json()?, origins(&call)?, access.options())?;
    let sent_type = access.sent_type();
    let stepped = dialect.engine.log_in_step_held(step, access.context_of(&call), access.hold(&call)).await;
    // Read after the wait: the length of a lock is that at the answer.
    let now = dialect.engine.now();
    match stepped.map_err(|error| Error::of_step(error, now))? {
        LoginStepAnswer::Granted(granted) => Ok(v1_success(&[Authenticated::from(granted)])),
        LoginStepAnswer::Sent(FactorKind::Sms, _) | LoginStepAnswer::Pending(FactorKind::Sms, _) => {
            Ok(v1_status::<()>(StatusCode::OK, sent_type, &SMS_SENT.into(), None))
        }
        LoginStepAnswer::Sent(factor, shown) | LoginStepAnswer::Pending(factor, shown) => {
            let message = pending(factor, shown.as_ref().map(PromptNumber::digits)).into();
            Ok(v1_status(StatusCode::OK, "pending", &message, NumberToShow::of(shown).as_ref()))
        }
        LoginStepAnswer::Refused(reason) => Err(Error::of_reason(reason, now)),
    }
}
