//! `POST /api/{1,2}/saml_assertion`: checks a password for an app (contract 6.1).

use axum::http::StatusCode;
use axum::response::Response;
use engine::LoginAnswer;

use super::{NeededTwo, Version, app_of, sign};
use crate::access::{Access, Authenticate};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{json, v1_status};
use crate::wire::log_in::error::{Error, ErrorV2};
use crate::wire::log_in::{FactorNeeded, MFA_REQUIRED, devices, sign_in, user};

pub(crate) async fn v1(dialect: Dialect, access: Access<Authenticate>, call: ApiCall) -> Result<Response, Error> {
    assert(dialect, access, call, Version::One).await
}

pub(crate) async fn v2(dialect: Dialect, access: Access<Authenticate>, call: ApiCall) -> Result<Response, ErrorV2> {
    assert(dialect, access, call, Version::Two).await.map_err(ErrorV2)
}

async fn assert(
    dialect: Dialect,
    access: Access<Authenticate>,
    call: ApiCall,
    version: Version,
) -> Result<Response, Error> {
    let body = call.json()?;
    // A blank account or app is refused without a reason; a missing name or password is named.
    let mut request = sign_in(dialect.required_subdomain(), &body, &call).map_err(|error| match error {
        Error::Empty("subdomain") => Error::Bare,
        error => error,
    })?;
    let to = app_of(&dialect, &body).await?;
    request.terms.app = Some(to.id.0);
    match dialect.engine.log_in(request, access.context()).await? {
        LoginAnswer::Granted(granted) => {
            dialect.engine.assertable(&to, &granted.user)?;
            Ok(version.assertion(&sign(&dialect, &to, &granted).await?))
        }
        LoginAnswer::NeedsFactor { user: who, devices: held, state_token } => {
            // Before a code is sent: without the value of the subject it would be wasted.
            dialect.engine.assertable(&to, &who)?;
            let (user, devices) = (user(&who, &[]), devices(&held));
            let callback_url = version.callback(&call.base_url());
            Ok(match version {
                Version::One => {
                    let needed = FactorNeeded { state_token, user, devices, callback_url };
                    v1_status(StatusCode::OK, "success", &MFA_REQUIRED.into(), Some(&[needed]))
                }
                Version::Two => {
                    let needed = NeededTwo { state_token, message: MFA_REQUIRED, devices, callback_url, user };
                    json(StatusCode::OK, &needed)
                }
            })
        }
        LoginAnswer::Refused(why) => Err(Error::Refused(why)),
    }
}
