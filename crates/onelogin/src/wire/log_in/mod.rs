//! The steps of a log-in, as the log-in flow and SAML assertions read and show them (contract 5, 6). The two differ only in
//! what they answer at the end.

pub(crate) mod error;

use domain::model::session::Terms;
use domain::{ClientOptions, Device, DeviceId, Digest, User};
use engine::{CompletedLogin, LoginRequest, LoginStep, PromptNumber};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use self::error::Error;
use super::call::ApiCall;
use super::factor_names::v1_auth_factor_name;
use super::lenient::Body;
use super::origin::origins;
use super::time::with_slashes;

/// What clients take for "a factor is needed": they compare it exactly.
pub(crate) const MFA_REQUIRED: &str = "MFA is required for this user";
/// The longest password that is read, in characters; longer ones are wrong.
const PASSWORD_MAX: usize = 128;
/// The longest address that is read, in characters.
const ADDRESS_MAX: usize = 1_000;

/// Reads what a log-in and an assertion have in common: who, which account, from where. The account must be
/// `subdomain`, if there is one.
pub(crate) fn sign_in(subdomain: Option<&str>, body: &Body, call: &ApiCall) -> Result<LoginRequest, Error> {
    let name = body.filled("username_or_email")?.ok_or(Error::Empty("username"))?;
    let password = body.text("password", PASSWORD_MAX)?.filter(|text| !text.is_empty());
    let password = password.ok_or(Error::Empty("password"))?;
    let account = body.filled("subdomain")?.ok_or(Error::Empty("subdomain"))?;
    if subdomain.is_some_and(|ours| domain::model::name::key(&account) != domain::model::name::key(ours)) {
        return Err(Error::Subdomain);
    }
    let fields = body.filled("fields")?.unwrap_or_default();
    let terms = Terms {
        app: None,
        return_to_url: body.filled("return_to_url")?,
        origins: origins(call)?,
        fields: fields.split(',').map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect(),
        browser: body.filled("browser_id")?.map(|id| Digest::of(id.as_bytes())),
        ip: None,
        prompted: Vec::new(),
    };
    let ip = body.text("ip_address", ADDRESS_MAX)?.and_then(|ip| ip.trim().parse().ok());
    Ok(LoginRequest { name, password: Zeroizing::new(password), terms, ip })
}

/// Reads a step of a log-in that is under way, sent with these origins by a client with these options.
pub(crate) fn step(body: &Body, origins: Vec<String>, options: &ClientOptions) -> Result<LoginStep, Error> {
    let state_token = body.filled("state_token")?.ok_or(Error::StepEmpty("state_token"))?;
    let device = body.filled("device_id")?.ok_or(Error::StepEmpty("device_id"))?;
    let device = device.parse().ok().filter(|id| *id >= 0).ok_or(Error::NoFactor)?;
    Ok(LoginStep {
        state_token: Digest::of(state_token.as_bytes()),
        // 0 means the temporary token.
        device: (device != 0).then_some(DeviceId(device)),
        response: body.answer(&["otp_token", "otp", "otp_code"])?,
        notify: !body.flag("do_not_notify")?.unwrap_or(false),
        options: options.clone(),
        app: None,
        origins,
    })
}

/// What the caller shows while a step is pending, where people type a number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NumberToShow {
    verification_token: String,
}

impl NumberToShow {
    pub(crate) fn of(shown: Option<PromptNumber>) -> Option<[Self; 1]> {
        shown.map(|PromptNumber(verification_token)| [Self { verification_token }])
    }
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
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogInDevice {
    device_type: &'static str,
    device_id: i64,
}

/// A user's devices, oldest first.
pub(crate) fn devices(devices: &[Device]) -> Vec<LogInDevice> {
    let shown =
        |device: &Device| LogInDevice { device_type: v1_auth_factor_name(device.factor), device_id: device.id.0 };
    devices.iter().map(shown).collect()
}

/// A factor is needed (contract 5.1).
#[derive(Serialize, ToSchema)]
pub(crate) struct FactorNeeded {
    pub(crate) state_token: String,
    #[schema(value_type = Object)]
    pub(crate) user: Map<String, Value>,
    pub(crate) devices: Vec<LogInDevice>,
    pub(crate) callback_url: String,
}

/// A completed log-in (contract 5.1, 5.2).
#[derive(Serialize, ToSchema)]
pub(crate) struct Authenticated {
    status: &'static str,
    #[schema(value_type = Object)]
    user: Map<String, Value>,
    return_to_url: Option<String>,
    expires_at: String,
    session_token: String,
}

impl From<CompletedLogin> for Authenticated {
    fn from(granted: CompletedLogin) -> Self {
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
    fn a_step_needs_its_two_fields_and_says_which_is_missing() {
        let step = |text: &str| step(&Body::parse(text.as_bytes()).unwrap(), Vec::new(), &ClientOptions::default());
        assert!(matches!(step("{}"), Err(Error::StepEmpty("state_token"))));
        assert!(matches!(step(r#"{"state_token":"x"}"#), Err(Error::StepEmpty("device_id"))));
        assert!(matches!(step(r#"{"state_token":"x","device_id":"abc"}"#), Err(Error::NoFactor)));
        for device in ["7", "\"7\""] {
            let read = step(&format!(r#"{{"state_token":"x","device_id":{device}}}"#)).unwrap();
            assert_eq!((read.device, read.notify), (Some(DeviceId(7)), true));
        }
        assert_eq!(step(r#"{"state_token":"x","device_id":0}"#).unwrap().device, None, "the temporary token");
        assert!(!step(r#"{"state_token":"x","device_id":7,"do_not_notify":"true"}"#).unwrap().notify);
    }
}
