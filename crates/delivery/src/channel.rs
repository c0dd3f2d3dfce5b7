//! The last hop: what a gateway has to be able to do.

use std::future::Future;
use std::pin::Pin;

use domain::{Content, DeviceId, MessageId, Timestamp, UserId, VerificationId};

/// A message, opened, on its way out. Lives only as long as the sending.
#[derive(Debug)]
pub struct Delivery {
    /// The message's id: the idempotency key for gateways that take one.
    pub id: MessageId,
    /// How it travels.
    pub channel: domain::Channel,
    /// Whom it concerns.
    pub user_id: UserId,
    /// Which device.
    pub device_id: DeviceId,
    /// Which verification it asks to answer.
    pub verification_id: VerificationId,
    /// What it says, and to whom.
    pub content: Content,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// Why a message did not get out. The text goes to the log: it must name no number, address or code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Trying again may help.
    #[error("{0}")]
    Temporary(String),
    /// It will not.
    #[error("{0}")]
    Permanent(String),
}

/// The outcome of a sending.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// A way to send. Which channels exist is a matter of configuration, so this is a trait and not an enum.
pub trait Channel: Send + Sync {
    /// What it carries.
    fn kind(&self) -> domain::Channel;

    /// Sends one message.
    fn send<'a>(&'a self, delivery: &'a Delivery) -> Sending<'a>;
}
