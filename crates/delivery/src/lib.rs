//! Sends messages to people, and calls to webhooks.
//!
//! Decisions queue messages in the transaction of the verification that they belong to. This crate takes them from there:
//! each [`Route`] (a channel and a [`Provider`] that carries it) has a [`Worker`], which claims what is due, decrypts it,
//! hands it to the provider and records the outcome. What a route cannot send is the next route's. Between the claim and
//! the record a process may die, so a message can be sent twice. It is never forgotten, and never sent after its code has
//! expired.
//!
//! To add a provider, see ARCHITECTURE.md, "How to add …".

mod accounts;
mod breaker;
mod message;
mod outbound;
mod outbox;
mod provider;
mod receipts;
mod route;
mod tls;
mod tries;
pub mod webhook;

pub use accounts::{Accounts, Taking};
pub use breaker::RouteState;
pub use message::{Concerned, OutgoingMessage};
pub use outbox::{DeliveryClock, Outbox, Worker};
pub use provider::signature;
pub use provider::{
    BadSetting, BadSubscription, Callback, CallbackUrls, Calling, DkimSettings, Draw, Encryption, FileProvider,
    Finding, Guide, HttpProvider, HttpSettings, KeyedCall, Logo, Mailbox, Now, PRESETS, Preset, Probe, Probing,
    Provider, ProviderError, PushEndpoints, Receipt, Refusal, Reply, SendError, Sending, SmtpLogin, SmtpProvider,
    SmtpServer, SmtpSettings, SnsProvider, SnsSettings, TwilioProvider, TwilioSettings, VapidKey, VapidSlot,
    VonageProvider, VonageSettings, WebPushProvider, WebPushSettings, calls_guide, guides, receipts_guide, resolve,
    visit,
};
pub use receipts::Receipts;
pub use route::{Ending, Route, RouteHealth, Routes};
pub use tries::send;
