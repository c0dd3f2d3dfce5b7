//! What is decided about a queued message that ends in another way than its own.

use crate::model::audit::{AuditEvent, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::message::{DropReason, Message};
use crate::model::time::Timestamp;
use crate::rules::phone;

/// Gives a message up that cannot be sent, and records it for those who wait for it. Its verification stays open: the caller
/// may ask for another message, which counts anew. A subscription that is over ends with it. `unspent` is what was set aside for it and is not spent, in micro-units.
pub fn give_up(view: &View, message: &Message, why: DropReason, unspent: i64, now: Timestamp) -> Decision<()> {
    let given_up = Change::GiveUpMessage { message: message.id, why, unspent, at: now };
    let over = match (why, message.device_id) {
        (DropReason::Unsubscribed { mark }, Some(device)) => phone::end_subscription(view, device, mark),
        _ => None,
    };
    ended(view, message, given_up, |event| event.given_up(why), AuditKind::MessageFailed, now).with_all(over)
}

/// Settles a text message that a call over this provider has carried (contract 18.10), and records that it was a call. Nothing
/// else changes: its verification waits for the same code. `unspent` is as in [`give_up`].
pub fn called(view: &View, message: &Message, provider: &str, unspent: i64, now: Timestamp) -> Decision<()> {
    let provider = provider.to_owned();
    let settled = Change::SettleMessage { message: message.id, provider, unspent, at: now };
    ended(view, message, settled, |event| event, AuditKind::MessageCalled, now)
}

/// The end of a message, with its entry in the trail of its user, if there still is one.
fn ended(
    view: &View,
    message: &Message,
    end: Change,
    detail: impl FnOnce(AuditEvent) -> AuditEvent,
    kind: AuditKind,
    now: Timestamp,
) -> Decision<()> {
    let decision = Decision::reply(()).with(end);
    let Some(user) = &view.user else { return decision };
    let event = AuditEvent { device: message.device_id, ..AuditEvent::of_user(kind, user.id, now) };
    decision.with(detail(event.verification(Some(message.verification_id))).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{DeviceId, MessageId, UserId, VerificationId};
    use crate::model::message::Channel;
    use crate::model::seal::Sealed;

    #[test]
    fn a_message_of_a_user_who_is_gone_ends_without_an_entry() {
        let message = Message {
            id: MessageId(1),
            user_id: UserId(2),
            device_id: Some(DeviceId(3)),
            verification_id: VerificationId(uuid::Uuid::nil()),
            channel: Channel::Sms,
            content: Sealed(Vec::new()),
            created_at: Timestamp(0),
            not_after: Timestamp(1),
            charge: None,
        };
        let (view, at) = (View::default(), Timestamp(5));
        let given_up = Change::GiveUpMessage { message: message.id, why: DropReason::Expired, unspent: 7, at };
        assert_eq!(give_up(&view, &message, DropReason::Expired, 7, at).changes, [given_up]);
        let settled = Change::SettleMessage { message: message.id, provider: "a".to_owned(), unspent: 3, at };
        assert_eq!(called(&view, &message, "a", 3, at).changes, [settled]);
    }
}
