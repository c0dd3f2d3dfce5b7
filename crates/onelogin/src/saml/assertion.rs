//! `POST /api/{1,2}/saml_assertion`: judges a password for an app (contract 6.1).

use axum::http::StatusCode;
use axum::response::Response;
use engine::sign_in::SignInAnswer;

use super::{NeededTwo, Version, app_of, sign};
use crate::App;
use crate::access::{Access, Authenticate};
use crate::call::Call;
use crate::envelope::{json, v1_status};
use crate::login::auth::MFA_REQUIRED;
use crate::login::error::{Error, V2};
use crate::login::{Needed, devices, sign_in, user};

/// In version 1.
pub async fn v1(app: App, access: Access<Authenticate>, call: Call) -> Result<Response, Error> {
    assert(app, access, call, Version::One).await
}

/// In version 2.
pub async fn v2(app: App, access: Access<Authenticate>, call: Call) -> Result<Response, V2> {
    assert(app, access, call, Version::Two).await.map_err(V2)
}

async fn assert(app: App, access: Access<Authenticate>, call: Call, version: Version) -> Result<Response, Error> {
    let body = call.json()?;
    // A blank account or app is a bare refusal; a missing name or password says which.
    let mut request = sign_in(&app, &body, &call, None).map_err(|error| match error {
        Error::Empty("subdomain") => Error::Bare,
        error => error,
    })?;
    let to = app_of(&app, &body).await?;
    request.terms.app = Some(to.id.0);
    match app.engine.sign_in(request, access.context()).await.map_err(Error::at(app.engine.now()))? {
        SignInAnswer::Granted(granted) => {
            app.engine.assertable(&to, &granted.user)?;
            Ok(version.assertion(&sign(&app, &to, &granted).await?))
        }
        SignInAnswer::NeedsFactor { user: who, devices: held, state_token } => {
            // Without what the subject is made of, a code would be spent for nothing.
            app.engine.assertable(&to, &who)?;
            let (user, devices) = (user(&who, &[]), devices(&held));
            let callback_url = version.callback(&call.base_url());
            Ok(match version {
                Version::One => {
                    let needed = Needed { state_token, user, devices, callback_url };
                    v1_status(StatusCode::OK, "success", &MFA_REQUIRED.into(), Some(&[needed]))
                }
                Version::Two => {
                    let needed = NeededTwo { state_token, message: MFA_REQUIRED, devices, callback_url, user };
                    json(StatusCode::OK, &needed)
                }
            })
        }
        SignInAnswer::Refused(why) => Err(Error::Refused(why)),
    }
}
