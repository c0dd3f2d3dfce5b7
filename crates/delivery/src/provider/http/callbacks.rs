//! Keys of Standard Webhooks in the file of a gateway: one signs our requests, another what the gateway has to say.

use domain::Secret;
use url::Url;

use super::super::gateway::BadSetting;
use super::super::standard_webhooks;
use super::settings::{CallbackUrls, HttpSettings};

/// Where receipts and keyed digits come, and what signs them.
pub(super) struct Callbacks {
    pub(super) key: Secret,
    pub(super) status: Url,
    pub(super) digits: Url,
    /// Whether a request says where its digits go.
    pub(super) asks: bool,
}

impl Callbacks {
    /// Nothing without what signs, or where callers from outside do not reach us.
    pub(super) fn of(settings: &HttpSettings, asks: bool) -> Result<Option<Self>, BadSetting> {
        let Some(secret) = &settings.callback_secret else { return Ok(None) };
        if settings.secret.as_ref().is_some_and(|ours| ours.expose() == secret.expose()) {
            let problem =
                "this is the same as secret: use another, so that no request of ours can come back as one of theirs";
            return Err(BadSetting::new("callback_secret", problem));
        }
        let key = standard_webhooks::key(secret).ok_or_else(|| BadSetting::new("callback_secret", NO_KEY))?;
        let Some(CallbackUrls { status, digits }) = &settings.callback_urls else { return Ok(None) };
        let url = |url: &str| Url::parse(url).map_err(|_| BadSetting::new("", "public_url is not a URL"));
        Ok(Some(Self { key, status: url(status)?, digits: url(digits)?, asks }))
    }
}

/// What is wrong with a text that is no key.
const NO_KEY: &str =
    "this is whsec_ and the Base64 of 24 to 64 bytes, as echo whsec_$(openssl rand -base64 32) makes it";

/// What requests are signed with.
pub(super) fn signing_key(settings: &HttpSettings) -> Result<Secret, BadSetting> {
    let secret = settings.secret.as_ref();
    let secret = secret.ok_or_else(|| BadSetting::new("secret", "this is needed: requests are signed with it"))?;
    standard_webhooks::key(secret).ok_or_else(|| BadSetting::new("secret", NO_KEY))
}
