//! `POST /api/{1,2}/saml_assertion/verify_factor`: sends, polls, or judges a code for an app (contract 6.2).

use axum::response::Response;
use domain::FactorKind;
use engine::sign_in::StepAnswer;

use super::{Version, app_of, sign};
use crate::App;
use crate::access::{Access, Authenticate};
use crate::call::Call;
use crate::login::error::{Error, V2};
use crate::login::verify_factor::SMS_SENT;
use crate::login::{ToShow, step};
use crate::v1::error::pending;

/// In version 1.
pub async fn v1(app: App, access: Access<Authenticate>, call: Call) -> Result<Response, Error> {
    verify(app, access, call, Version::One).await
}

/// In version 2.
pub async fn v2(app: App, access: Access<Authenticate>, call: Call) -> Result<Response, V2> {
    verify(app, access, call, Version::Two).await.map_err(V2)
}

async fn verify(app: App, access: Access<Authenticate>, call: Call, version: Version) -> Result<Response, Error> {
    let body = call.json()?;
    let mut step = step(&body, Vec::new(), None, access.number_matching())?;
    let to = app_of(&app, &body).await?;
    step.app = Some(to.id.0);
    if let Some(user) = app.engine.signing_in(step.state_token).await.map_err(Error::at(app.engine.now()))? {
        app.engine.assertable(&to, &user)?;
    }
    let stepped = app.engine.sign_in_step_held(step, access.context(), access.hold(&call)).await;
    // As at log-in: what is left of a lock is told as of the answer.
    let now = app.engine.now();
    match stepped.map_err(Error::at(now))? {
        StepAnswer::Granted(granted) => Ok(version.assertion(&sign(&app, &to, &granted).await?)),
        // Here a text message that was sent is pending too, unlike in the log-in.
        StepAnswer::Sent(FactorKind::Sms, _) | StepAnswer::Pending(FactorKind::Sms, _) => {
            Ok(version.pending(SMS_SENT, None))
        }
        StepAnswer::Sent(factor, shown) | StepAnswer::Pending(factor, shown) => {
            Ok(version.pending(pending(factor), ToShow::of(shown).as_ref()))
        }
        StepAnswer::Refused(reason) => Err(Error::of_reason(reason, now)),
    }
}
