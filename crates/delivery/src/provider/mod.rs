//! What a provider has to be able to do, and how a sending can fail. Each provider has a file or a folder here.

mod dkim;
mod file;
mod gateway;
mod guides;
mod http;
mod ncco;
mod preset;
mod presets;
mod probe;
pub mod signature;
mod smtp;
mod sns;
mod spoken;
mod standard_webhooks;
mod twilio;
mod twiml;
mod visit;
mod vonage;
mod webpush;

use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::time::Duration;

use domain::{Channel, Timestamp};

pub use self::file::FileProvider;
pub use self::gateway::{BadSetting, Calling, Now};
pub use self::guides::{calls_guide, guides, receipts_guide};
pub use self::http::{CallbackUrls, HttpProvider, HttpSettings};
pub use self::preset::{Guide, Preset};
pub use self::presets::PRESETS;
pub use self::probe::{Finding, Probe, Probing, resolve};
pub use self::signature::{Callback, KeyedCall, Receipt, Refusal};
pub use self::smtp::{DkimSettings, Encryption, Logo, Mailbox, SmtpLogin, SmtpProvider, SmtpServer, SmtpSettings};
pub use self::sns::{SnsProvider, SnsSettings};
pub use self::twilio::{TwilioProvider, TwilioSettings};
pub use self::visit::visit;
pub use self::vonage::{VonageProvider, VonageSettings};
pub use self::webpush::{BadSubscription, Draw, PushEndpoints, VapidKey, VapidSlot, WebPushProvider, WebPushSettings};
use crate::message::OutgoingMessage;

/// A future that ends when the provider has taken the message or has failed to.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// Why a provider cannot be used: a sentence for the operator.
pub type ProviderError = Box<dyn std::error::Error + Send + Sync>;

/// Something that takes messages off our hands: a gateway, a mail server, a file. Which providers exist is a matter of
/// configuration, so this is a trait and not an enum.
pub trait Provider: Send + Sync {
    /// The name in the configuration, in log lines and in metrics.
    fn name(&self) -> &str;

    /// The channels that it can carry.
    fn channels(&self) -> &[Channel];

    /// How many messages of one channel it may be handed at once.
    fn at_once(&self) -> usize {
        1
    }

    /// How long one sending may take (SEC 72).
    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// What others on the way to the provider can read, as a sentence for the operator. Nothing where TLS protects what is
    /// sent, or where it does not leave this machine.
    fn caution(&self) -> Option<String> {
        None
    }

    /// Makes ready what it needs before the first message. A server whose provider fails here does not start.
    fn open(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Asks the provider by its cheapest call whether it would take our messages. Nothing is sent and nothing is changed.
    fn probe(&self) -> Probing<'_> {
        Box::pin(async { probe::mute() })
    }

    /// Whether it signs receipts that [`Self::receipt`] can check, and has an address to send them to.
    fn signs_receipts(&self) -> bool {
        false
    }

    /// Checks a receipt. Nothing of it is believed before its signature is right.
    fn receipt(&self, _callback: &Callback<'_>, _now: Timestamp) -> Result<Receipt, Refusal> {
        Err(Refusal::Unsigned)
    }

    /// Whether its calls can ask for digits that [`Self::digits`] brings back.
    fn takes_digits(&self) -> bool {
        false
    }

    /// Whether it signs the digits that it brings back, so that they come by the address of contract 18.9.
    fn signs_digits(&self) -> bool {
        self.takes_digits()
    }

    /// Checks digits that a person keyed into a call. Nothing of them is believed before their signature is right.
    fn digits(&self, _callback: &Callback<'_>, _now: Timestamp) -> Result<KeyedCall, Refusal> {
        Err(Refusal::Unsigned)
    }

    /// The answer to such digits, with which the call says these words and ends. `language` is the first part of a code.
    fn spoken_reply(&self, _words: &str, _language: &str) -> Reply {
        Reply::default()
    }

    /// Whether it reaches only phones that have a subscription.
    fn needs_subscription(&self) -> bool {
        false
    }

    /// Where the key pair goes that it signs with, if the installation is to make it one (contract 18.14).
    fn vapid(&self) -> Option<&VapidSlot> {
        None
    }

    /// Sends one message, which travels over one of [`Self::channels`].
    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a>;
}

/// The body of an answer to a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its media type; empty without a body.
    pub content_type: &'static str,
    pub body: String,
}

/// Why a provider did not take a message. Errors go to the log, so none of them can hold text: no number, address or code
/// gets out with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The provider did not answer within [`Provider::timeout`].
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The provider cannot be used at present.
    #[error("the provider is unavailable")]
    Unavailable,
    /// [`Provider::open`] has not made ready what it needs. Servers call it, commands do not.
    #[error("the provider is not ready; start the server once, which makes it ready")]
    NotReady,
    /// The recipient is not reached at present, as a mailbox that is full or a host that does not answer.
    #[error("the recipient cannot be reached at present")]
    Deferred,
    /// The provider asks to be left alone, for so long if it says so.
    #[error("the provider asks to be left alone for a while")]
    Busy(Option<Duration>),
    /// Reading or writing failed.
    #[error("input or output failed: {0}")]
    Io(ErrorKind),
    /// The provider does not accept us: credentials, rights or balance.
    #[error("the provider does not accept our account: look at its credentials, rights and balance")]
    Denied,
    /// The provider does not take this message, now or later. Another provider may.
    #[error("the provider refused the message")]
    Refused,
    /// The provider says that the recipient cannot be reached. Another provider would say so too.
    #[error("the recipient cannot be reached")]
    Unreachable,
    /// The push service says that the recipient's subscription is over. It takes nothing for it any more.
    #[error("the recipient's subscription is over")]
    Gone,
}

/// What a failure says about the provider, apart from the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fitness {
    /// It took the message.
    Fit,
    /// It answered about this message or recipient. A caller who chooses recipients could cause that, so it says nothing.
    Unknown,
    /// It failed, as it may for the next message too; for so long if it says so.
    Failing(Option<Duration>),
}

impl SendError {
    /// Whether the same provider may take the same message later.
    pub fn is_temporary(self) -> bool {
        match self {
            Self::TimedOut | Self::Unavailable | Self::NotReady | Self::Deferred | Self::Busy(_) | Self::Io(_) => true,
            Self::Denied | Self::Refused | Self::Unreachable | Self::Gone => false,
        }
    }

    /// Whether it is certain that the provider has not sent the message.
    pub fn is_unsent(self) -> bool {
        match self {
            Self::NotReady
            | Self::Deferred
            | Self::Busy(_)
            | Self::Denied
            | Self::Refused
            | Self::Unreachable
            | Self::Gone
            // Only opening a connection ends so (RFC 9293, 3.10.7.3).
            | Self::Io(ErrorKind::ConnectionRefused) => true,
            Self::TimedOut | Self::Unavailable | Self::Io(_) => false,
        }
    }

    /// A word for metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Unavailable => "unavailable",
            Self::NotReady => "not_ready",
            Self::Deferred => "deferred",
            Self::Busy(_) => "busy",
            Self::Io(_) => "io",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Gone => "gone",
        }
    }

    pub(crate) fn fitness(self) -> Fitness {
        match self {
            Self::TimedOut | Self::Unavailable | Self::NotReady | Self::Io(_) | Self::Denied => Fitness::Failing(None),
            Self::Busy(wait) => Fitness::Failing(wait),
            Self::Deferred | Self::Refused | Self::Unreachable | Self::Gone => Fitness::Unknown,
        }
    }
}
