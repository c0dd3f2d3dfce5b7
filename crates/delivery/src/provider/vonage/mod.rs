//! Text messages over Vonage's Messages API, and calls over its Voice API (`call.rs`).

mod call;
mod settings;

use std::time::Duration;

use domain::{Channel, Timestamp};
use hyper::{Method, StatusCode};
use serde::Serialize;
use url::Url;

use self::call::Calls;
pub use self::settings::VonageSettings;
use super::gateway::{self, Answer, BadSetting, Gateway};
use super::signature::Callback;
use super::spoken::Spoken;
use super::{Finding, KeyedCall, Probing, Provider, Receipt, Refusal, Reply, SendError, Sending, ncco, signature};
use crate::message::OutgoingMessage;

const BASE: &str = "https://api.nexmo.com";
/// Where Vonage answers with an account's balance. It takes messages elsewhere.
const BALANCE: &str = "https://rest.nexmo.com";

/// Sends over Vonage.
#[derive(Debug)]
pub struct VonageProvider {
    gateway: Gateway,
    settings: VonageSettings,
    url: Url,
    calls: Option<Calls>,
    /// Where the account's balance is asked for.
    balance: Url,
}

/// A text message, as the Messages API takes it.
#[derive(Serialize)]
struct Request<'a> {
    message_type: &'static str,
    channel: &'static str,
    to: &'a str,
    from: &'a str,
    text: &'a str,
    client_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_url: Option<&'a str>,
}

impl VonageProvider {
    /// What Vonage can carry for us.
    pub const CHANNELS: &[Channel] = &[Channel::Sms, Channel::Voice];

    /// Checks the settings; nothing is called.
    pub fn new(settings: VonageSettings) -> Result<Self, BadSetting> {
        gateway::needed("api_key", &settings.api_key)?;
        gateway::needed_secret("api_secret", &settings.api_secret)?;
        gateway::needed("from", &settings.from)?;
        if let Some(secret) = &settings.signature_secret {
            gateway::needed_secret("signature_secret", secret)?;
        }
        let base = settings.base_url.as_deref().unwrap_or(BASE);
        let url = gateway::below(base, "/v1/messages")?;
        let calls = Calls::of(&settings, gateway::below(base, "/v1/calls")?)?;
        let balance = gateway::below(settings.base_url.as_deref().unwrap_or(BALANCE), "/account/get-balance")?;
        Ok(Self { gateway: Gateway::new(settings.calling.clone())?, settings, url, calls, balance })
    }

    /// Asks for the account's balance.
    fn question(&self) -> Result<reqwest::Request, SendError> {
        let mut request = reqwest::Request::new(Method::GET, self.balance.clone());
        gateway::authenticate(&mut request, &self.settings.api_key, &self.settings.api_secret)?;
        Ok(request)
    }

    async fn hand_over(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        match message.channel {
            Channel::Voice => self.call(message).await,
            Channel::Sms | Channel::Email | Channel::Push => self.message(message).await,
        }
    }

    async fn call(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        let calls = self.calls.as_ref().ok_or(SendError::Refused)?;
        let answer = self.gateway.call(calls.request(message, self.gateway.now())?).await?;
        self.judge(message, &answer, "uuid")
    }

    async fn message(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        let text = Request {
            message_type: "text",
            channel: "sms",
            // Numbers are written without the plus sign.
            to: message.content.to.trim_start_matches('+'),
            from: &self.settings.from,
            text: &message.content.body,
            client_ref: message.key(),
            webhook_url: self.settings.webhook_url.as_deref().filter(|_| self.signs_receipts()),
        };
        let body = serde_json::to_string(&text).map_err(|_| SendError::Refused)?;
        let mut request = gateway::request(Method::POST, self.url.clone(), gateway::JSON, body);
        gateway::authenticate(&mut request, &self.settings.api_key, &self.settings.api_secret)?;
        let answer = self.gateway.call(request).await?;
        self.judge(message, &answer, "message_uuid")
    }

    /// What an answer of Vonage means. Its id of what it has taken is called `id`.
    fn judge(&self, message: &OutgoingMessage, answer: &Answer, id: &str) -> Result<(), SendError> {
        let json = answer.json();
        if answer.status().is_success() {
            gateway::note_taken(self.name(), message, json[id].as_str());
            return Ok(());
        }
        gateway::note_fault(self.name(), message, answer);
        Err(answer.fault(self.gateway.now(), || is_about_recipient(&json)))
    }
}

/// Whether a problem (RFC 9457) says that no provider reaches the recipient.
fn is_about_recipient(problem: &serde_json::Value) -> bool {
    /// Codes of the Messages API, with which the problem's type ends: the number is barred, or none.
    const UNREACHABLE: &[&str] = &["1050", "1170", "1240"];
    let code = problem["type"].as_str().and_then(|kind| kind.rsplit_once('#')).map(|(_, code)| code);
    code.is_some_and(|code| UNREACHABLE.contains(&code))
}

impl Provider for VonageProvider {
    fn name(&self) -> &'static str {
        "vonage"
    }

    fn channels(&self) -> &[Channel] {
        if self.calls.is_some() { Self::CHANNELS } else { &[Channel::Sms] }
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
        // The credentials go to no host that the operator has not named, and not every such host tells a balance.
        let is_elsewhere = self.settings.base_url.is_some();
        Box::pin(self.gateway.probe(self.question(), move |answer| {
            (is_elsewhere && answer.status() == StatusCode::NOT_FOUND)
                .then(|| Finding::Skipped("it answers at base_url, which tells no balance".to_owned()))
        }))
    }

    fn signs_receipts(&self) -> bool {
        self.settings.webhook_url.is_some() && self.settings.signature_secret.is_some()
    }

    fn receipt(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Receipt, Refusal> {
        let secret = self.settings.signature_secret.as_ref().ok_or(Refusal::Unsigned)?;
        signature::vonage(secret, callback.header("authorization"), callback.query, callback.body, now)
    }

    fn takes_digits(&self) -> bool {
        self.calls.is_some()
    }

    fn digits(&self, callback: &Callback<'_>, now: Timestamp) -> Result<KeyedCall, Refusal> {
        let secret = self.settings.signature_secret.as_ref().ok_or(Refusal::Unsigned)?;
        signature::vonage_digits(secret, callback.header("authorization"), callback.query, callback.body, now)
    }

    fn spoken_reply(&self, words: &str, language: &str) -> Reply {
        let body = ncco::says(&[Spoken::Words(words)], Some(language)).to_string();
        Reply { content_type: gateway::JSON, body }
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }
}
