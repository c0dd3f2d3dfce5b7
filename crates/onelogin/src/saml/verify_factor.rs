//! `POST /api/{1,2}/saml_assertion/verify_factor`: sends a code, polls, or verifies a code for an app (contract 6.2).

use axum::response::Response;
use domain::FactorKind;
use engine::{LoginStepAnswer, PromptNumber};

use super::{Version, app_of, sign};
use crate::access::{Access, Authenticate};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::challenge::{SMS_SENT, pending};
use crate::wire::log_in::error::{Error, ErrorV2};
use crate::wire::log_in::{NumberToShow, step};

pub(crate) async fn v1(dialect: Dialect, access: Access<Authenticate>, call: ApiCall) -> Result<Response, Error> {
    verify(dialect, access, call, Version::One).await
}

pub(crate) async fn v2(dialect: Dialect, access: Access<Authenticate>, call: ApiCall) -> Result<Response, ErrorV2> {
    verify(dialect, access, call, Version::Two).await.map_err(ErrorV2)
}

async fn verify(
    dialect: Dialect,
    access: Access<Authenticate>,
    call: ApiCall,
    version: Version,
) -> Result<Response, Error> {
    let body = call.json()?;
    let mut step = step(&body, Vec::new(), access.options())?;
    let to = app_of(&dialect, &body).await?;
    step.app = Some(to.id.0);
    if let Some(user) = dialect.engine.signing_in(step.state_token).await? {
        dialect.engine.assertable(&to, &user)?;
    }
    let stepped = dialect.engine.log_in_step_held(step, access.context_of(&call), access.hold(&call)).await;
    // Read after the wait, as at log-in: the length of a lock is that at the answer.
    let now = dialect.engine.now();
    match stepped.map_err(|error| Error::of_step(error, now))? {
        LoginStepAnswer::Granted(granted) => Ok(version.assertion(&sign(&dialect, &to, &granted).await?)),
        // Unlike at log-in, a text message that was sent is pending too.
        LoginStepAnswer::Sent(FactorKind::Sms, _) | LoginStepAnswer::Pending(FactorKind::Sms, _) => {
            Ok(version.pending(SMS_SENT, None))
        }
        LoginStepAnswer::Sent(factor, shown) | LoginStepAnswer::Pending(factor, shown) => {
            let message = pending(factor, shown.as_ref().map(PromptNumber::digits));
            Ok(version.pending(&message, NumberToShow::of(shown).as_ref()))
        }
        LoginStepAnswer::Refused(reason) => Err(Error::of_reason(reason, now)),
    }
}
