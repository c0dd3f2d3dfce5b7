//! `POST /api/1/login/auth`: judges a password, and says what is still needed (contract 5.1).

use axum::http::StatusCode;
use axum::response::Response;
use engine::sign_in::SignInAnswer;

use super::error::Error;
use super::{Authenticated, Needed, devices, sign_in, user};
use crate::App;
use crate::access::{Access, Authenticate};
use crate::call::Call;
use crate::envelope::{v1_status, v1_success};

/// The words by which clients tell that a factor is needed: they compare them exactly.
pub(crate) const MFA_REQUIRED: &str = "MFA is required for this user";

/// Judges a password.
pub async fn auth(app: App, access: Access<Authenticate>, call: Call) -> Result<Response, Error> {
    let body = call.json()?;
    let request = sign_in(&app, &body, &call, None)?;
    let fields = request.terms.fields.clone();
    match app.engine.sign_in(request, access.context()).await.map_err(Error::at(app.engine.now()))? {
        SignInAnswer::Granted(granted) => Ok(v1_success(&[Authenticated::from(granted)])),
        SignInAnswer::NeedsFactor { user: who, devices: held, state_token } => {
            let needed = Needed {
                state_token,
                user: user(&who, &fields),
                devices: devices(&held),
                callback_url: format!("{}/api/1/login/verify_factor", call.base_url()),
            };
            Ok(v1_status(StatusCode::OK, "success", &MFA_REQUIRED.into(), Some(&[needed])))
        }
        SignInAnswer::Refused(why) => Err(Error::Refused(why)),
    }
}
