//! `POST /api/1/login/auth`: checks a password, and says whether a factor is needed (contract 5.1).

use axum::http::StatusCode;
use axum::response::Response;
use engine::LoginAnswer;

use crate::access::{Access, Authenticate};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{v1_status, v1_success};
use crate::wire::log_in::error::Error;
use crate::wire::log_in::{Authenticated, FactorNeeded, MFA_REQUIRED, devices, sign_in, user};

pub(crate) async fn auth(dialect: Dialect, access: Access<Authenticate>, call: ApiCall) -> Result<Response, Error> {
    let body = call.json()?;
    let request = sign_in(dialect.required_subdomain(), &body, &call)?;
    let fields = request.terms.fields.clone();
    match dialect.engine.log_in(request, access.context()).await? {
        LoginAnswer::Granted(granted) => Ok(v1_success(&[Authenticated::from(granted)])),
        LoginAnswer::NeedsFactor { user: who, devices: held, state_token } => {
            let needed = FactorNeeded {
                state_token,
                user: user(&who, &fields),
                devices: devices(&held),
                callback_url: format!("{}/api/1/login/verify_factor", call.base_url()),
            };
            Ok(v1_status(StatusCode::OK, "success", &MFA_REQUIRED.into(), Some(&[needed])))
        }
        LoginAnswer::Refused(why) => Err(Error::Refused(why)),
    }
}
