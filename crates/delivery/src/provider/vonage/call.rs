//! Calls over Vonage's Voice API (contract 18.9). What is said goes along with the call, as an NCCO. A call is made in the
//! name of an application, whose key signs a token for each.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use domain::model::text;
use domain::model::time::SECOND;
use domain::{Secret, Timestamp};
use hyper::Method;
use hyper::header::AUTHORIZATION;
use reqwest::Request;
use serde_json::json;
use url::Url;

use super::super::dkim::Key;
use super::super::gateway::{self, BadSetting};
use super::super::signature::REFERENCE;
use super::super::spoken::{LASTS, RINGS, asks_at, parts};
use super::super::{SendError, ncco};
use super::settings::VonageSettings;
use crate::message::OutgoingMessage;

/// Life of a token, in seconds. It is used at once.
const TOKEN_LIFE: i64 = 300;

/// How calls are made.
pub(super) struct Calls {
    /// The number that calls, without its plus sign.
    from: String,
    application_id: String,
    key: Key,
    url: Url,
    /// Where keyed digits are to be sent.
    digits: Url,
    /// Where receipts are to be sent.
    events: Option<Url>,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls(…)")
    }
}

impl Calls {
    /// Calls by the application of the settings; nothing if they name none.
    pub(super) fn of(settings: &VonageSettings, url: Url) -> Result<Option<Self>, BadSetting> {
        let together = "voice_from, application_id and private_key_file are needed together";
        let given = (&settings.voice_from, &settings.application_id, &settings.private_key_file);
        let (from, application_id, file) = match given {
            (None, None, None) => return Ok(None),
            (Some(from), Some(application), Some(file)) => (from, application, file),
            (None, _, _) => return Err(BadSetting::new("voice_from", together)),
            (_, None, _) => return Err(BadSetting::new("application_id", together)),
            (_, _, None) => return Err(BadSetting::new("private_key_file", together)),
        };
        let from = format!("+{}", gateway::needed("voice_from", from)?.trim_start_matches('+'));
        let from = text::phone(&from)
            .ok_or_else(|| BadSetting::new("voice_from", "this is no telephone number, as 14155550100"))?;
        let from = from.trim_start_matches('+').to_owned();
        let application_id = gateway::needed("application_id", application_id)?.to_owned();
        if settings.signature_secret.is_none() {
            return Err(BadSetting::new("signature_secret", "calls need it: it signs the digits"));
        }
        let digits = settings.digits_callback.as_deref();
        let digits = digits.ok_or_else(|| BadSetting::new("voice_from", "calls need public_url, too"))?;
        let digits = Url::parse(digits).map_err(|_| BadSetting::new("digits_callback", "this is not a URL"))?;
        let events = settings.webhook_url.as_deref().map(Url::parse).transpose();
        let events = events.map_err(|_| BadSetting::new("webhook_url", "this is not a URL"))?;
        Ok(Some(Self { from, application_id, key: key(file)?, url, digits, events }))
    }

    /// The request for a call.
    pub(super) fn request(&self, message: &OutgoingMessage, now: Timestamp) -> Result<Request, SendError> {
        let (said, language) = (parts(message), message.content.language.as_deref());
        let ncco = match asks_at(message, &self.digits) {
            Some(action) => ncco::asks_digits(&said, language, action.as_str()),
            None => ncco::says(&said, language),
        };
        let mut body = json!({
            "to": [{ "type": "phone", "number": message.content.to.trim_start_matches('+') }],
            "from": { "type": "phone", "number": self.from },
            "ncco": ncco, "ringing_timer": RINGS, "length_timer": LASTS,
        });
        if let Some(address) = &self.events {
            let mut address = address.clone();
            address.set_query(Some(&format!("{REFERENCE}={}", message.key())));
            body["event_url"] = json!([address.as_str()]);
            body["event_method"] = "POST".into();
        }
        let mut request = gateway::request(Method::POST, self.url.clone(), gateway::JSON, body.to_string());
        let token = self.token(&message.key(), now)?;
        gateway::add_secret(&mut request, AUTHORIZATION, &format!("Bearer {token}"))?;
        Ok(request)
    }

    /// A JWT (RFC 7519) with RS256 in the name of the application. Its id is the message's, with the moment of this try.
    fn token(&self, message: &str, now: Timestamp) -> Result<String, SendError> {
        let issued_at = now.0.div_euclid(SECOND);
        let claims = json!({
            "application_id": self.application_id, "iat": issued_at, "exp": issued_at + TOKEN_LIFE,
            "jti": format!("{message}-{}", now.0),
        });
        let part = |json: &serde_json::Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let signed = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims));
        let signature = self.key.sign(signed.as_bytes()).map_err(|_| SendError::Denied)?;
        Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

/// The application's key. RSA keys below 2,048 bits are refused.
fn key(file: &Path) -> Result<Key, BadSetting> {
    let bad = |problem: String| BadSetting::new("private_key_file", problem);
    let pem = std::fs::read(file).map_err(|error| bad(format!("{}: {error}", file.display())))?;
    let key = Key::from_pem(Secret::new(pem).expose()).map_err(|error| bad(format!("{}: {error}", file.display())))?;
    if matches!(key, Key::Rsa(_)) { Ok(key) } else { Err(bad(format!("{}: this is no RSA key", file.display()))) }
}
