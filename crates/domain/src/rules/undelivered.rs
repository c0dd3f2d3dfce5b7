//! What is decided about a message that cannot be sent.

use crate::model::audit::{AuditEvent, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::message::{DropReason, Message};
use crate::model::time::Timestamp;

/// Gives a message up, and records it for those who wait for it. Its verification stays open: the caller may ask for
/// another message, which counts anew. `unspent` is what was set aside for it and is not spent, in micro-units.
pub fn give_up(view: &View, message: &Message, why: DropReason, unspent: i64, now: Timestamp) -> Decision<()> {
    let given_up = Decision::reply(()).with(Change::GiveUpMessage { message: message.id, why, unspent, at: now });
    let Some(user) = &view.user else { return given_up };
    let event = AuditEvent::of_user(AuditKind::MessageFailed, user.id, now).device(message.device_id);
    given_up.with(event.verification(Some(message.verification_id)).given_up(why).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{DeviceId, MessageId, UserId, VerificationId};
    use crate::model::message::Channel;
    use crate::model::seal::Sealed;

    #[test]
    fn a_message_of_a_user_who_is_gone_is_given_up_without_an_entry() {
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
        let now = Timestamp(5);
        let decision = give_up(&View::default(), &message, DropReason::Expired, 7, now);
        assert_eq!(
            decision.changes,
            [Change::GiveUpMessage { message: message.id, why: DropReason::Expired, unspent: 7, at: now }]
        );
    }
}
