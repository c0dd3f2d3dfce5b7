//! Warnings over another channel when too many prompts go unanswered (SEC 13). The sender of such prompts knows the
//! password already, so the person must hear of it.

use crate::model::audit::{Actor, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::id::DeviceId;
use crate::model::message::Message;
use crate::model::policy::Policy;
use crate::model::throttle::{Throttle, ThrottleKey};
use crate::model::time::{DAY, HOUR, Timestamp};
use crate::rules::throttle;

/// The least time between two warnings of a person, in milliseconds.
const APART: i64 = HOUR;
/// Most warnings of a person in any day: they must not become what they warn of.
const MOST_A_DAY: usize = 3;

/// Whether the person should be warned: prompts are blocked, at least for some callers, and there was no warning lately.
pub fn is_due(view: &View, policy: &Policy, now: Timestamp) -> bool {
    throttle::prompts_are_blocked(view, policy, now) && {
        let told: Throttle = view.throttle(ThrottleKey::Warnings);
        told.full(1, APART, now).max(told.full(MOST_A_DAY, DAY, now)).is_none()
    }
}

/// Queues a warning if it is due, and says whether it was. It is recorded even where there is no way to send one: others
/// than the person should hear of it, too.
pub fn of_prompts(
    view: &View,
    device: DeviceId,
    warning: Option<&Message>,
    policy: &Policy,
    context: &Actor,
    now: Timestamp,
) -> Decision<bool> {
    let Some(user) = view.user.as_ref().filter(|_| is_due(view, policy, now)) else {
        return Decision::reply(false);
    };
    let mut told = view.throttle(ThrottleKey::Warnings);
    told.push_sent(DAY, now);
    Decision::reply(true)
        .with(Change::SetThrottle(user.id, told))
        .with_all(warning.cloned().map(Change::Enqueue))
        .with(context.event(AuditKind::PromptsRefused, user.id, now).device(device).into())
}
