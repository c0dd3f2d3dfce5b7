//! Sends messages to people, and calls to webhooks.
//!
//! Decisions queue messages in the transaction of the verification that they belong to. This crate takes them from there:
//! a [`Worker`] claims what is due on its channel, decrypts it, hands it to the [`Provider`] that the [`Routes`] name for
//! the channel, and records the outcome. Between the claim and the record a process may die, so a message can be sent
//! twice. It is never forgotten, and never sent after its code has expired.
//!
//! To add a provider, write `provider/NAME.rs` and export it in `provider/mod.rs`; the binary makes it from its
//! configuration.

mod message;
mod outbox;
mod provider;
mod route;
pub mod webhook;

pub use message::{Concerned, OutgoingMessage};
pub use outbox::{Now, Outbox, Worker, send};
pub use provider::{FileProvider, Provider, ProviderError, SendError, Sending};
pub use route::Routes;
