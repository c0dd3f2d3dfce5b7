//! What is decided about a text message that was spoken in a call instead (contract 18.10).

use crate::model::audit::{AuditEvent, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::message::Message;
use crate::model::time::Timestamp;

/// Settles a text message that a call over this provider has carried, and records that it was a call. Nothing else changes: its
/// verification waits for the same code. `unspent` is what was set aside for it and is not spent.
pub fn called(view: &View, message: &Message, provider: &str, unspent: i64, now: Timestamp) -> Decision<()> {
    let provider = provider.to_owned();
    let settled = Decision::reply(()).with(Change::SettleMessage { message: message.id, provider, unspent, at: now });
    let Some(user) = &view.user else { return settled };
    let event = AuditEvent::of_user(AuditKind::MessageCalled, user.id, now).device(message.device_id);
    settled.with(event.verification(Some(message.verification_id)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{DeviceId, MessageId, UserId, VerificationId};
    use crate::model::message::Channel;
    use crate::model::seal::Sealed;

    #[test]
    fn a_called_message_of_a_user_who_is_gone_is_settled_without_an_entry() {
        let message = Message {
            id: MessageId(1),
            user_id: UserId(2),
            device_id: DeviceId(3),
            verification_id: VerificationId(uuid::Uuid::nil()),
            channel: Channel::Sms,
            content: Sealed(Vec::new()),
            created_at: Timestamp(0),
            not_after: Timestamp(1),
            charge: None,
        };
        let decision = called(&View::default(), &message, "a", 3, Timestamp(5));
        let (provider, at) = ("a".to_owned(), Timestamp(5));
        assert_eq!(decision.changes, [Change::SettleMessage { message: message.id, provider, unspent: 3, at }]);
    }
}
