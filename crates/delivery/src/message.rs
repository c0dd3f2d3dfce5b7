//! A message on its way out.

use domain::{Channel, Content, DeviceId, Message, MessageId, Timestamp, UserId, VerificationId};

/// A message, opened. It lives only as long as the sending.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// The idempotency key for providers that take one.
    pub id: MessageId,
    /// How the message travels.
    pub channel: Channel,
    /// Whom the message concerns.
    pub user_id: UserId,
    /// The device whose answer it asks for.
    pub device_id: DeviceId,
    /// The verification that it asks to answer.
    pub verification_id: VerificationId,
    /// Recipient and words, in the clear.
    pub content: Content,
    /// When the message was queued.
    pub created_at: Timestamp,
}

impl OutgoingMessage {
    /// A queued message with its opened content.
    pub(crate) fn of(message: &Message, content: Content) -> Self {
        Self {
            id: message.id,
            channel: message.channel,
            user_id: message.user_id,
            device_id: message.device_id,
            verification_id: message.verification_id,
            content,
            created_at: message.created_at,
        }
    }
}
