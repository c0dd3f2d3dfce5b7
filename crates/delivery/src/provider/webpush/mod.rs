//! Prompts to the push services of browsers, and to any that speak RFC 8030 (contract 18.14). What is pushed shows nothing
//! but that something waits; the phone asks for the rest.

mod encryption;
mod endpoints;
mod keys;
mod vapid;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::model::outbound::OutboundFault;
use domain::model::time::SECOND;
use domain::{Channel, PushSubscription, Timestamp};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use p256::SecretKey;
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

use self::encryption::Drawn;
use self::endpoints::Listed;
pub use self::endpoints::{BadSubscription, PushEndpoints};
use self::keys::Keys;
use self::vapid::Tokens;
pub use self::vapid::{VapidKey, VapidSlot};
use super::gateway::{BadSetting, Now};
use super::probe::{Finding, Probe, Probing};
use super::{Provider, SendError, Sending};
use crate::message::{Concerned, OutgoingMessage};
use crate::outbound::{self, Outbound, OutboundCall};
use crate::tls;

/// Messages that a node hands over side by side. Each has its own connection.
const AT_ONCE: usize = 32;
/// What RFC 8030 calls the version of the declarative form, so that Safari shows it without a script.
const DECLARATIVE: u16 = 8_030;

/// Where a provider draws random bytes.
pub type Draw = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// How push services are called.
#[derive(Clone)]
pub struct WebPushSettings {
    /// Where people reach this server; the app is below it.
    pub public_url: String,
    /// Where messages may go.
    pub endpoints: PushEndpoints,
    /// Whom a push service may write to: `mailto:` or `https:`.
    pub contact: Option<String>,
    /// Certificates (PEM) of authorities to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// The present moment, which push services compare with their own.
    pub now: Now,
    /// Randomness for keys and salts of messages.
    pub draw: Draw,
}

impl std::fmt::Debug for WebPushSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebPushSettings").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// The provider `webpush`.
pub struct WebPushProvider {
    settings: WebPushSettings,
    /// The app's page.
    app: String,
    outbound: Outbound,
    key: VapidSlot,
    tokens: Tokens,
}

impl std::fmt::Debug for WebPushProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebPushProvider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What is pushed, in the declarative form. The id and the end are for the app's script.
#[derive(Serialize)]
struct Pushed<'a> {
    web_push: u16,
    notification: Notification<'a>,
    id: String,
    /// When the prompt ends, in Unix milliseconds.
    end: i64,
}

#[derive(Serialize)]
struct Notification<'a> {
    title: &'a str,
    navigate: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<&'a str>,
}

/// A message with all that a push needs.
struct Push<'a> {
    about: Concerned,
    subscription: &'a PushSubscription,
    listed: Listed,
    keys: Keys,
    ends_at: Timestamp,
}

impl WebPushProvider {
    /// The channels that it can carry.
    pub const CHANNELS: &'static [Channel] = &[Channel::Push];

    /// A provider with these settings. Until its [slot](Provider::vapid) has a key pair, it sends nothing.
    pub fn new(settings: WebPushSettings) -> Result<Self, BadSetting> {
        let bad = |error: tls::BadAuthorities| BadSetting::new("ca_file", error.to_string());
        let mut roots = tls::public();
        if let Some(file) = &settings.ca_file {
            roots.roots.extend(tls::of_file(file).map_err(bad)?.roots);
        }
        let outbound = Outbound::trusting(roots).map_err(bad)?;
        let app = format!("{}/app", settings.public_url);
        Ok(Self { settings, app, outbound, key: VapidSlot::default(), tokens: Tokens::default() })
    }

    /// Whether browsers give subscriptions to a page at this address: over https, or on their own machine.
    pub fn is_possible_at(public_url: &str) -> bool {
        Url::parse(public_url).is_ok_and(|url| match url.scheme() {
            "https" => true,
            "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
            _ => false,
        })
    }

    async fn message(&self, message: &OutgoingMessage) -> Result<(), SendError> {
        let now = (self.settings.now)();
        let push = self.push(message).ok_or(SendError::Refused)?;
        let body = self.body(message, &push).ok_or(SendError::Refused)?;
        let headers = self.headers(&push, now)?;
        let url = &push.subscription.endpoint;
        let call = OutboundCall { url, reach: push.listed.reach, headers, body: body.into() };
        let status = self.outbound.post(call).await.map_err(|fault| {
            tracing::info!(
                message = message.id.0,
                provider = self.name(),
                fault = fault.name(),
                "push service not reached"
            );
            failure(fault, push.listed)
        })?;
        if status.is_success() {
            tracing::debug!(message = message.id.0, provider = self.name(), "push service took a message");
            return Ok(());
        }
        let code = status.as_u16();
        tracing::info!(
            message = message.id.0,
            provider = self.name(),
            status = code,
            "push service did not take a message"
        );
        Err(refusal(status, push.listed))
    }

    /// `None` for a message that cannot be pushed: without a subscription that is allowed, or without an end.
    fn push<'a>(&self, message: &'a OutgoingMessage) -> Option<Push<'a>> {
        let subscription = message.content.subscription.as_ref()?;
        Some(Push {
            about: message.about?,
            subscription,
            listed: self.settings.endpoints.listed(&subscription.endpoint).ok()?,
            keys: Keys::of(subscription)?,
            ends_at: message.content.ends_at?,
        })
    }

    fn body(&self, message: &OutgoingMessage, push: &Push<'_>) -> Option<Vec<u8>> {
        let pushed = Pushed {
            web_push: DECLARATIVE,
            notification: Notification {
                title: &message.content.body,
                navigate: &self.app,
                lang: message.content.language.as_deref(),
            },
            id: push.about.verification_id.0.to_string(),
            end: push.ends_at.0,
        };
        encryption::encrypt(&serde_json::to_vec(&pushed).ok()?, &push.keys, &self.drawn())
    }

    fn drawn(&self) -> Drawn {
        let mut salt = [0; 16];
        (self.settings.draw)(&mut salt);
        let mut bytes = Zeroizing::new([0; 32]);
        loop {
            (self.settings.draw)(&mut *bytes);
            // One draw of four thousand million is no number of the curve.
            if let Ok(secret) = SecretKey::from_slice(&*bytes) {
                return Drawn { secret, salt };
            }
        }
    }

    fn headers(&self, push: &Push<'_>, now: Timestamp) -> Result<HeaderMap, SendError> {
        const TTL: HeaderName = HeaderName::from_static("ttl");
        const URGENCY: HeaderName = HeaderName::from_static("urgency");
        const TOPIC: HeaderName = HeaderName::from_static("topic");
        let seconds = push.ends_at.since(now) / SECOND;
        if seconds < 1 {
            return Err(SendError::Refused);
        }
        let key = self.key.get().ok_or(SendError::NotReady)?;
        let url = Url::parse(&push.subscription.endpoint).map_err(|_| SendError::Refused)?;
        let contact = self.settings.contact.as_deref();
        let token = self.tokens.of(key, &url.origin().ascii_serialization(), contact, now);
        let mut token = HeaderValue::try_from(token.ok_or(SendError::Refused)?).map_err(|_| SendError::Refused)?;
        token.set_sensitive(true);
        let topic = push.about.verification_id.0.simple().to_string();
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("Countersign/1"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
        headers.insert(AUTHORIZATION, token);
        headers.insert(TTL, HeaderValue::from(seconds));
        headers.insert(URGENCY, HeaderValue::from_static("high"));
        headers.insert(TOPIC, HeaderValue::try_from(topic).map_err(|_| SendError::Refused)?);
        Ok(headers)
    }
}

/// What an answer that is no success means. Subscriptions come from phones, so nothing that they can cause counts against
/// the route: a service answers 401 or 403 to a subscription that was made for another key, and 429 to one that gets too many.
fn refusal(status: StatusCode, listed: Listed) -> SendError {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => SendError::Gone,
        StatusCode::TOO_MANY_REQUESTS => SendError::Deferred,
        status if status.is_server_error() => unavailable(listed),
        _ => SendError::Refused,
    }
}

/// A phone may have made up the host, so what is wrong with it says nothing about the others.
fn unavailable(listed: Listed) -> SendError {
    if listed.is_chosen { SendError::Deferred } else { SendError::Unavailable }
}

/// Why there is no answer.
fn failure(fault: OutboundFault, listed: Listed) -> SendError {
    match fault {
        OutboundFault::Unusable | OutboundFault::Forbidden => SendError::Refused,
        OutboundFault::Unresolved | OutboundFault::Unreachable | OutboundFault::Tls | OutboundFault::Broken => {
            unavailable(listed)
        }
        OutboundFault::Late if listed.is_chosen => SendError::Deferred,
        OutboundFault::Late => SendError::TimedOut,
    }
}

impl Provider for WebPushProvider {
    fn name(&self) -> &'static str {
        "webpush"
    }

    fn channels(&self) -> &[Channel] {
        Self::CHANNELS
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    fn timeout(&self) -> Duration {
        outbound::TIMEOUT
    }

    fn probe(&self) -> Probing<'_> {
        let words = "nothing is asked: push services answer only for a phone's subscription";
        Box::pin(async move { Probe::whole(Finding::Skipped(words.to_owned())) })
    }

    fn needs_subscription(&self) -> bool {
        true
    }

    fn vapid(&self) -> Option<&VapidSlot> {
        Some(&self.key)
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(self.message(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_subscribe_at_pages_over_https_and_on_their_own_machine() {
        for good in [
            "https://mfa.example.com",
            "https://10.0.0.1:8443/mfa",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/mfa",
        ] {
            assert!(WebPushProvider::is_possible_at(good), "{good}");
        }
        for bad in ["http://mfa.example.com", "http://localhost.example.com", "http://127.0.0.2", "mfa.example.com", ""]
        {
            assert!(!WebPushProvider::is_possible_at(bad), "{bad}");
        }
    }

    /// The hosts below the name of a push service are the phone's choice, so what is wrong with one says nothing about
    /// the others.
    #[test]
    fn a_host_that_a_phone_made_up_takes_no_route_down() {
        use crate::provider::Fitness;
        let listed = |is_chosen| Listed { reach: egress::Reach::Public, is_chosen };
        for fault in [OutboundFault::Unresolved, OutboundFault::Unreachable, OutboundFault::Tls] {
            assert_eq!(failure(fault, listed(true)).fitness(), Fitness::Unknown, "{fault:?}");
            assert_eq!(failure(fault, listed(false)).fitness(), Fitness::Failing(None), "{fault:?}");
        }
        for fault in [OutboundFault::Unusable, OutboundFault::Forbidden] {
            assert_eq!(failure(fault, listed(false)).fitness(), Fitness::Unknown, "{fault:?}");
        }
    }
}
