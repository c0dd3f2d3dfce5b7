//! Text messages over Twilio's Programmable Messaging, and calls over its Programmable Voice (`call.rs`).

mod call;
mod settings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Channel, Timestamp};
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use reqwest::Request;
use url::Url;

use self::call::Calls;
pub use self::settings::TwilioSettings;
use super::gateway::{self, Answer, BadSetting, Gateway};
use super::signature::{Callback, REFERENCE};
use super::spoken::Spoken;
use super::{KeyedCall, Probing, Provider, Receipt, Refusal, Reply, SendError, Sending, signature, twiml};
use crate::message::OutgoingMessage;

const BASE: &str = "https://api.twilio.com";

/// The message's id. Twilio documents this header for its own calls; what it does with ours is its choice, so a message
/// that is tried twice may arrive twice.
const IDEMPOTENCY: HeaderName = HeaderName::from_static("i-twilio-idempotency-token");

/// Errors of Twilio's dictionary that say that no provider reaches the recipient.
const UNREACHABLE: &[u64] = &[
    // The number is none, or cannot be called.
    21_211, 21_214, 21_217,
    // The recipient has unsubscribed. Going around that by another gateway would be wrong.
    21_610, // The number is no mobile one, or a landline.
    21_614, 21_635,
];

/// The error of Twilio's dictionary that says that its computers cannot reach the address for receipts.
const BAD_CALLBACK: u64 = 21_609;

/// Errors of the dictionary about our account. Some come with 403, which may be about the recipient's country, too.
const DENIED: &[u64] = &[
    // Wrong credentials; the account is not active, or may not do this.
    20_003, 20_005, 20_006, 20_008, // The account is suspended.
    30_002,
];

/// Sends over Twilio.
#[derive(Debug)]
pub struct TwilioProvider {
    gateway: Gateway,
    settings: TwilioSettings,
    url: Url,
    /// The account itself.
    account: Url,
    /// The name and the value of the field that says who sends; nothing where there are only calls.
    sender: Option<(&'static str, String)>,
    calls: Option<Calls>,
    /// Where receipts are to be sent.
    callback: Option<Url>,
    /// Twilio has refused the address for receipts, so none are asked for any more.
    is_out_of_reach: AtomicBool,
}

impl TwilioProvider {
    /// What Twilio can carry for us.
    pub const CHANNELS: &[Channel] = &[Channel::Sms, Channel::Voice];

    /// Checks the settings; nothing is called.
    pub fn new(settings: TwilioSettings) -> Result<Self, BadSetting> {
        let sid = gateway::needed("account_sid", &settings.account_sid)?;
        if !sid.starts_with("AC") || !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(BadSetting::new("account_sid", "an account's SID is AC and 32 letters and digits"));
        }
        gateway::needed_secret("auth_token", &settings.auth_token)?;
        let sender = match (&settings.from, &settings.messaging_service_sid) {
            (Some(from), None) => Some(("From", gateway::needed("from", from)?.to_owned())),
            (None, Some(service)) => {
                Some(("MessagingServiceSid", gateway::needed("messaging_service_sid", service)?.to_owned()))
            }
            (None, None) if settings.voice_from.is_some() => None,
            (None, None) => return Err(BadSetting::new("from", "this or messaging_service_sid is needed")),
            (Some(_), Some(_)) => {
                return Err(BadSetting::new("from", "this and messaging_service_sid exclude each other"));
            }
        };
        let base = settings.base_url.as_deref().unwrap_or(BASE);
        let url = gateway::below(base, &format!("/2010-04-01/Accounts/{sid}/Messages.json"))?;
        let calls = gateway::below(base, &format!("/2010-04-01/Accounts/{sid}/Calls.json"))?;
        let calls = Calls::of(&settings, calls)?;
        let account = gateway::below(base, &format!("/2010-04-01/Accounts/{sid}.json"))?;
        let callback = settings.status_callback.as_deref().map(Url::parse).transpose();
        let callback = callback.map_err(|_| BadSetting::new("status_callback", "this is not a URL"))?;
        let (gateway, is_out_of_reach) = (Gateway::new(settings.calling.clone())?, AtomicBool::new(false));
        Ok(Self { gateway, settings, url, account, sender, calls, callback, is_out_of_reach })
    }

    /// Asks for the account's own record.
    fn question(&self) -> Result<Request, SendError> {
        let mut request = Request::new(Method::GET, self.account.clone());
        gateway::authenticate(&mut request, &self.settings.account_sid, &self.settings.auth_token)?;
        Ok(request)
    }

    async fn hand_over(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        let request = |callback: Option<&Url>| match (message.channel, &self.calls) {
            (Channel::Voice, Some(calls)) => calls.request(&self.settings, message, callback),
            (Channel::Sms, _) => self.request(message, callback),
            (Channel::Voice | Channel::Email | Channel::Push, _) => Err(SendError::Refused),
        };
        let callback = self.callback.as_ref().filter(|_| !self.is_out_of_reach.load(Ordering::Relaxed));
        let callback = callback.map(|url| with_reference(url, &message.key()));
        let mut answer = self.gateway.call(request(callback.as_ref())?).await?;
        if callback.is_some() && answer.json()["code"].as_u64() == Some(BAD_CALLBACK) {
            // An address within a company's own network is fine for all else, so the message goes without.
            if !self.is_out_of_reach.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    provider = self.name(),
                    "receipt address refused: gateway cannot reach public_url, messages are sent without receipts until restart"
                );
            }
            answer = self.gateway.call(request(None)?).await?;
        }
        self.judge(message, &answer)
    }

    /// What an answer of Twilio means.
    fn judge(&self, message: &OutgoingMessage, answer: &Answer) -> Result<(), SendError> {
        let json = answer.json();
        if answer.status().is_success() {
            gateway::note_taken(self.name(), message, json["sid"].as_str());
            return Ok(());
        }
        gateway::note_fault(self.name(), message, answer);
        let code = json["code"].as_u64().unwrap_or_default();
        if DENIED.contains(&code) {
            return Err(SendError::Denied);
        }
        Err(answer.fault(self.gateway.now(), || UNREACHABLE.contains(&code)))
    }

    fn request(&self, message: &OutgoingMessage, callback: Option<&Url>) -> Result<Request, SendError> {
        let (sender, from) = self.sender.as_ref().ok_or(SendError::Refused)?;
        let content = &message.content;
        let fields = [("To", content.to.as_str()), (sender, from), ("Body", &content.body)];
        let callback = callback.map(|url| ("StatusCallback", url.as_str()));
        let body = gateway::form(fields.into_iter().chain(callback));
        let mut request = gateway::request(Method::POST, self.url.clone(), gateway::FORM, body);
        gateway::authenticate(&mut request, &self.settings.account_sid, &self.settings.auth_token)?;
        let key = HeaderValue::try_from(message.key()).map_err(|_| SendError::Refused)?;
        request.headers_mut().insert(IDEMPOTENCY, key);
        Ok(request)
    }
}

/// The callback's URL for one message.
fn with_reference(callback: &Url, key: &str) -> Url {
    let mut url = callback.clone();
    url.set_query(Some(&format!("{REFERENCE}={key}")));
    url
}

impl Provider for TwilioProvider {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn channels(&self) -> &[Channel] {
        match (&self.sender, &self.calls) {
            (Some(_), Some(_)) => Self::CHANNELS,
            (None, Some(_)) => &[Channel::Voice],
            (_, None) => &[Channel::Sms],
        }
    }

    fn at_once(&self) -> usize {
        self.gateway.at_once()
    }

    fn timeout(&self) -> Duration {
        self.gateway.timeout()
    }

    fn caution(&self) -> Option<String> {
        gateway::caution(&self.url)
    }

    fn probe(&self) -> Probing<'_> {
        Box::pin(self.gateway.probe(self.question(), |_| None))
    }

    fn signs_receipts(&self) -> bool {
        self.callback.is_some()
    }

    fn receipt(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Receipt, Refusal> {
        let mut url = self.callback.clone().ok_or(Refusal::Unsigned)?;
        url.set_query(callback.query);
        let signed = callback.header("x-twilio-signature");
        signature::twilio(&self.settings.auth_token, &url, signed, callback.body, now)
    }

    fn takes_digits(&self) -> bool {
        self.calls.is_some()
    }

    fn digits(&self, callback: &Callback<'_>, _now: Timestamp) -> Result<KeyedCall, Refusal> {
        let calls = self.calls.as_ref().ok_or(Refusal::Unsigned)?;
        calls.digits(&self.settings, callback)
    }

    fn spoken_reply(&self, words: &str, language: &str) -> Reply {
        Reply { content_type: twiml::TYPE, body: twiml::says(&[Spoken::Words(words)], Some(language)) }
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }
}
