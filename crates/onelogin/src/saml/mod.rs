//! SAML assertions by API: the steps of a log-in with a signed response at the end (contract 6). One file per step, for
//! both versions.

pub(crate) mod assertion;
pub(crate) mod metadata;
pub(crate) mod verify_factor;

use axum::http::StatusCode;
use axum::response::Response;
use domain::model::app::{AppId, SamlApp};
use engine::CompletedLogin;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::dialect::Dialect;
use crate::wire::envelope::{StatusMessage, json, v1_status};
use crate::wire::lenient::Body;
use crate::wire::log_in::error::Error;
use crate::wire::log_in::{LogInDevice, NumberToShow};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

/// Version 2 has no envelope: the message is beside the data.
#[derive(Serialize, ToSchema)]
#[schema(as = AssertionAnswer)]
pub(crate) struct Two<'a, T> {
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_data: Option<&'a NumberToShow>,
    message: &'a str,
}

impl Version {
    /// `kind` is version 1's type.
    pub(crate) fn say<T: Serialize>(self, kind: &str, message: &str, data: Option<&T>) -> Response {
        match self {
            Self::One => v1_status(StatusCode::OK, kind, &StatusMessage::from(message), data),
            Self::Two => json(StatusCode::OK, &Two { data, factor_data: None, message }),
        }
    }

    /// The person has not answered yet. Version 2 shows the number in `factor_data`: clients read `data` as the assertion
    /// (contract 6.2).
    pub(crate) fn pending(self, message: &str, shown: Option<&[NumberToShow; 1]>) -> Response {
        match self {
            Self::One => self.say("pending", message, shown),
            Self::Two => {
                json(StatusCode::OK, &Two::<()> { data: None, factor_data: shown.map(|[shown]| shown), message })
            }
        }
    }

    pub(crate) fn assertion(self, base64: &str) -> Response {
        self.say("success", "Success", Some(&base64))
    }

    /// Where the next step is taken.
    pub(crate) fn callback(self, base_url: &str) -> String {
        match self {
            Self::One => format!("{base_url}/api/1/saml_assertion/verify_factor"),
            Self::Two => format!("{base_url}/api/2/saml_assertion/verify_factor"),
        }
    }
}

/// A factor is needed, in version 2 (contract 6.1): as in version 1, without an envelope.
#[derive(Serialize, ToSchema)]
#[schema(as = AssertionNeedsFactor)]
pub(crate) struct NeededTwo {
    pub(crate) state_token: String,
    pub(crate) message: &'static str,
    pub(crate) devices: Vec<LogInDevice>,
    pub(crate) callback_url: String,
    #[schema(value_type = Object)]
    pub(crate) user: Map<String, Value>,
}

/// The app that a body names.
pub(crate) async fn app_of(dialect: &Dialect, body: &Body) -> Result<SamlApp, Error> {
    let id = match body.typed("app_id", 20)? {
        None => return Err(Error::Bare),
        Some(text) => text.parse().map(AppId).map_err(|_| Error::NoApp)?,
    };
    dialect.engine.app(id).await?.ok_or(Error::NoApp)
}

/// The signed response for the user who has just logged in.
pub(crate) async fn sign(dialect: &Dialect, to: &SamlApp, granted: &CompletedLogin) -> Result<String, Error> {
    Ok(dialect.engine.assertion(to, &granted.user, granted.shown).await?)
}
