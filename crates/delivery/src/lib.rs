//! Gets a message to a person, and a call to a webhook.
//!
//! Messages are written by decisions, in the same transaction as the verification they belong to. This crate takes them
//! from there: it claims what is due, opens it, hands it to the [`Channel`] of its kind, and records what became of it.
//! Between the claim and the record a process may die, so a message can be sent twice, but never forgotten and never
//! sent after its code has ended.

pub mod channel;
pub mod outbox;
pub mod webhook;

pub use channel::{Channel, Delivery, Failure};
pub use outbox::Outbox;
