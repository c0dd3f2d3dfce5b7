//! A message on its way out.

use domain::{Channel, Content, DeviceId, Message, MessageId, Timestamp, UserId, VerificationId};

/// A message, opened. It lives only as long as the sending.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// The idempotency key for providers that take one.
    pub id: MessageId,
    /// How the message travels.
    pub channel: Channel,
    /// Whom and what it concerns; `None` for an operator's test of the channel.
    pub about: Option<Concerned>,
    /// Recipient and words, in the clear.
    pub content: Content,
    /// When the message was queued.
    pub created_at: Timestamp,
}

/// Whom and what a message concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concerned {
    pub user_id: UserId,
    /// The device that it concerns, if it is one.
    pub device_id: Option<DeviceId>,
    /// The verification that it asks to answer.
    pub verification_id: VerificationId,
}

impl OutgoingMessage {
    /// What others know the message by: the same at each try. Ids begin anew with each installation, so the moment at which
    /// it was queued is a part of it.
    pub fn key(&self) -> String {
        format!("{}-{}", self.id.0, self.created_at.0)
    }

    /// When the message of this key was queued. Nothing if it is no key of ours.
    pub(crate) fn queued_at(key: &str) -> Option<Timestamp> {
        /// Digits of the milliseconds, until the year 2286. With a fixed length, no part of a key is another key.
        const DIGITS: usize = 13;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (id, queued_at) = key.split_once('-')?;
        let is_key = is_number(id) && is_number(queued_at) && queued_at.len() == DIGITS;
        is_key.then(|| queued_at.parse().ok().map(Timestamp)).flatten()
    }

    /// A queued message with its opened content, on its way over a channel. `None` if it must not travel so: a text message
    /// travels as a call only in words of a call.
    pub(crate) fn over(channel: Channel, message: &Message, content: Content) -> Option<Self> {
        let content = if channel == message.channel { Some(content) } else { content.as_call() };
        Some(Self {
            id: message.id,
            channel,
            about: Some(Concerned {
                user_id: message.user_id,
                device_id: message.device_id,
                verification_id: message.verification_id,
            }),
            content: content?,
            created_at: message.created_at,
        })
    }
}
