//! Calls over Twilio's Programmable Voice (contract 18.9). What is said goes along with the call, as `TwiML`.

use domain::model::text;
use hyper::Method;
use reqwest::Request;
use url::Url;

use super::super::gateway::{self, BadSetting};
use super::super::signature::{self, Callback};
use super::super::spoken::{LASTS, RINGS, asks_at, parts};
use super::super::{KeyedCall, Refusal, SendError, twiml};
use super::settings::TwilioSettings;
use crate::message::OutgoingMessage;

/// How calls are made.
#[derive(Debug)]
pub(super) struct Calls {
    /// The number that calls.
    from: String,
    url: Url,
    /// Where keyed digits are to be sent.
    digits: Url,
}

impl Calls {
    /// Calls by the number of the settings; nothing if they name none.
    pub(super) fn of(settings: &TwilioSettings, url: Url) -> Result<Option<Self>, BadSetting> {
        let Some(from) = &settings.voice_from else { return Ok(None) };
        let from = gateway::needed("voice_from", from)?;
        let from = text::phone(from)
            .ok_or_else(|| BadSetting::new("voice_from", "this is no telephone number, as +14155550100"))?;
        let digits = settings.digits_callback.as_deref();
        let digits = digits.ok_or_else(|| BadSetting::new("voice_from", "calls need public_url, too"))?;
        let digits = Url::parse(digits).map_err(|_| BadSetting::new("digits_callback", "this is not a URL"))?;
        Ok(Some(Self { from, url, digits }))
    }

    /// The request for a call, whose receipt is to be sent to `callback`.
    pub(super) fn request(
        &self,
        settings: &TwilioSettings,
        message: &OutgoingMessage,
        callback: Option<&Url>,
    ) -> Result<Request, SendError> {
        let (said, language) = (parts(message), message.content.language.as_deref());
        let twiml = match asks_at(message, &self.digits) {
            Some(action) => twiml::asks_digits(&said, language, action.as_str()),
            None => twiml::says(&said, language),
        };
        let (rings, lasts) = (RINGS.to_string(), LASTS.to_string());
        let fields = [
            ("To", message.content.to.as_str()),
            ("From", &self.from),
            ("Twiml", &twiml),
            ("Timeout", &rings),
            ("TimeLimit", &lasts),
        ];
        let body = gateway::form(fields.into_iter().chain(callback.map(|url| ("StatusCallback", url.as_str()))));
        let mut request = gateway::request(Method::POST, self.url.clone(), gateway::FORM, body);
        gateway::authenticate(&mut request, &settings.account_sid, &settings.auth_token)?;
        Ok(request)
    }

    /// The digits that Twilio brings, once its signature is right. It has no time in it and needs none: the verification
    /// ends with the first digits that are judged.
    pub(super) fn digits(&self, settings: &TwilioSettings, callback: &Callback<'_>) -> Result<KeyedCall, Refusal> {
        let mut url = self.digits.clone();
        url.set_query(callback.query);
        let signed = callback.header("x-twilio-signature");
        signature::twilio_digits(&settings.auth_token, &url, signed, callback.body)
    }
}
