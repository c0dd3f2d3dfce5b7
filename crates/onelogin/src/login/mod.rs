//! The log-in flow: a password, a factor, and what they open (contract 5, 6). One file per endpoint.
//!
//! A log-in and a SAML assertion are the same steps with other words at the end, so the reading of requests and the
//! showing of users, devices and sessions are here, once.

pub mod auth;
pub mod error;
pub mod session;
pub mod verify_factor;

use std::collections::BTreeSet;

use domain::sign_in::Terms;
use domain::{Device, DeviceId, Digest, User};
use engine::sign_in::{Granted, Shown, SignIn, Step};
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use self::error::Error;
use crate::App;
use crate::call::Call;
use crate::lenient::Body;
use crate::names::v1_auth_factor_name;
use crate::v2::terms::filled;
use crate::wire_time::with_slashes;

/// The longest password that is looked at, in characters; longer ones are wrong.
const PASSWORD_MAX: usize = 128;
/// The longest name, address or URL that is looked at, in characters.
const TEXT_MAX: usize = 1_000;
/// What the names of headers that list origins begin with, in lower case (contract 5.4).
const ORIGIN_HEADER: &str = "custom-allowed-origin-header-";

/// Reads what a log-in and an assertion have in common: who, which account, from where.
pub(crate) fn sign_in(app: &App, body: &Body, call: &Call, for_app: Option<i64>) -> Result<SignIn, Error> {
    let name = filled(body, "username_or_email")?.ok_or(Error::Empty("username"))?;
    let password = body.text("password", PASSWORD_MAX)?.filter(|text| !text.is_empty());
    let password = password.ok_or(Error::Empty("password"))?;
    let subdomain = filled(body, "subdomain")?.ok_or(Error::Empty("subdomain"))?;
    let is_ours = || domain::name::key(&subdomain) == domain::name::key(&app.engine.settings().subdomain);
    if !app.options.accept_any_subdomain && !is_ours() {
        return Err(Error::Subdomain);
    }
    let fields = filled(body, "fields")?.unwrap_or_default();
    let terms = Terms {
        app: for_app,
        return_to_url: filled(body, "return_to_url")?,
        origins: origins(call),
        fields: fields.split(',').map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect(),
        browser: filled(body, "browser_id")?.map(|id| Digest::of(id.as_bytes())),
        ip: None,
        prompted: Vec::new(),
    };
    let ip = body.text("ip_address", TEXT_MAX)?.and_then(|ip| ip.trim().parse().ok());
    Ok(SignIn { name, password: Zeroizing::new(password), terms, ip })
}

/// What a pending step tells the caller's screen, where people type a number.
#[derive(Debug, Serialize)]
pub(crate) struct ToShow {
    verification_token: String,
}

impl ToShow {
    pub(crate) fn of(shown: Option<Shown>) -> Option<[Self; 1]> {
        shown.map(|Shown(verification_token)| [Self { verification_token }])
    }
}

/// Reads a step of a log-in under way, named together with these origins.
pub(crate) fn step(body: &Body, origins: Vec<String>, for_app: Option<i64>, number: bool) -> Result<Step, Error> {
    let state_token = filled(body, "state_token")?.ok_or(Error::StepEmpty("state_token"))?;
    let device = filled(body, "device_id")?.ok_or(Error::StepEmpty("device_id"))?;
    let device = device.parse().ok().filter(|id| *id >= 0).ok_or(Error::NoFactor)?;
    Ok(Step {
        state_token: Digest::of(state_token.as_bytes()),
        device: DeviceId(device),
        response: body.answer(&["otp_token", "otp", "otp_code"])?,
        notify: !body.flag("do_not_notify")?.unwrap_or(false),
        number,
        app: for_app,
        origins,
    })
}

/// The origins of all `Custom-Allowed-Origin-Header-N`, whatever their numbers: as many as the head has room for. What is
/// no origin is ignored; the slash behind one is how address bars show it.
pub(crate) fn origins(call: &Call) -> Vec<String> {
    let headers = call.headers().iter().filter(|(name, _)| {
        let number = name.as_str().strip_prefix(ORIGIN_HEADER);
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let texts = headers.filter_map(|(_, value)| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim);
    let origins: BTreeSet<String> = texts.filter_map(|text| origin(text.strip_suffix('/').unwrap_or(text))).collect();
    origins.into_iter().collect()
}

/// An origin as browsers write it, `<scheme>://<host>[:<port>]`, if `text` is one and nothing else.
pub(crate) fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path() == "/"
        && !text.ends_with('/');
    plain.then(|| url.origin().ascii_serialization())
}

/// A user as the log-in flow shows one, with the custom attributes that were asked for.
pub(crate) fn user(user: &User, fields: &[String]) -> Map<String, Value> {
    let profile = |name: &str| user.profile.texts.get(name).cloned().map_or(Value::Null, Value::String);
    let mut shown = Map::new();
    shown.insert("username".to_owned(), user.username.clone().into());
    shown.insert("email".to_owned(), user.email.clone().into());
    shown.insert("firstname".to_owned(), profile("firstname"));
    shown.insert("id".to_owned(), user.id.0.into());
    shown.insert("lastname".to_owned(), profile("lastname"));
    for field in fields {
        if let Some(value) = user.profile.custom_attributes.get(field) {
            shown.entry(field.clone()).or_insert_with(|| value.clone().into());
        }
    }
    shown
}

/// A device as the log-in flow shows one: its id is a number here (contract 5.1).
#[derive(Debug, Serialize)]
pub(crate) struct ShownDevice {
    device_type: &'static str,
    device_id: i64,
}

/// A user's devices, oldest first.
pub(crate) fn devices(devices: &[Device]) -> Vec<ShownDevice> {
    let shown =
        |device: &Device| ShownDevice { device_type: v1_auth_factor_name(device.factor), device_id: device.id.0 };
    devices.iter().map(shown).collect()
}

/// What is still needed (contract 5.1).
#[derive(Serialize)]
pub(crate) struct Needed {
    pub(crate) state_token: String,
    pub(crate) user: Map<String, Value>,
    pub(crate) devices: Vec<ShownDevice>,
    pub(crate) callback_url: String,
}

/// A completed log-in (contract 5.1, 5.2).
#[derive(Serialize)]
pub(crate) struct Authenticated {
    status: &'static str,
    user: Map<String, Value>,
    return_to_url: Option<String>,
    expires_at: String,
    session_token: String,
}

impl From<Granted> for Authenticated {
    fn from(granted: Granted) -> Self {
        Self {
            status: "Authenticated",
            user: user(&granted.user, &granted.terms.fields),
            return_to_url: granted.terms.return_to_url,
            expires_at: with_slashes(granted.expires_at.0),
            session_token: granted.session_token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path_and_nothing_else() {
        assert_eq!(origin("https://App.Example"), Some("https://app.example".to_owned()));
        assert_eq!(origin("https://app.example:443"), Some("https://app.example".to_owned()));
        assert_eq!(origin("http://localhost:8080"), Some("http://localhost:8080".to_owned()));
        for other in [
            "",
            "app.example",
            "https://app.example/",
            "https://app.example/x",
            "https://u@app.example",
            "ftp://app.example",
            "https://app.example?x",
            "null",
            "*",
            "javascript:alert(1)",
        ] {
            assert_eq!(origin(other), None, "{other}");
        }
    }

    #[test]
    fn a_step_needs_its_two_fields_and_says_which_is_missing() {
        let step = |text: &str| step(&Body::parse(text.as_bytes()).unwrap(), Vec::new(), None, false);
        assert!(matches!(step("{}"), Err(Error::StepEmpty("state_token"))));
        assert!(matches!(step(r#"{"state_token":"x"}"#), Err(Error::StepEmpty("device_id"))));
        assert!(matches!(step(r#"{"state_token":"x","device_id":"abc"}"#), Err(Error::NoFactor)));
        for device in ["7", "\"7\""] {
            let read = step(&format!(r#"{{"state_token":"x","device_id":{device}}}"#)).unwrap();
            assert_eq!((read.device, read.notify), (DeviceId(7), true));
        }
        assert!(!step(r#"{"state_token":"x","device_id":7,"do_not_notify":"true"}"#).unwrap().notify);
    }
}
