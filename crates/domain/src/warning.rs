//! Warnings: what a person is told over another channel when prompts are refused in their name (SEC 13). Whoever wears
//! somebody down with prompts knows the password already, so the person should hear of it.

use crate::audit::AuditKind;
use crate::decision::{Change, Decision, View};
use crate::message::Message;
use crate::policy::Policy;
use crate::throttle::{self, Throttle, ThrottleKey};
use crate::time::{DAY, HOUR, Timestamp};
use crate::verification::Context;

/// The least time between two warnings of a person, in milliseconds.
const APART: i64 = HOUR;
/// Most warnings of a person in any day: they must not become what they warn of.
const MOST_A_DAY: usize = 3;

/// Queues a warning that prompts are refused, if they are and the person was not told lately. Says whether it did.
pub fn of_prompts(
    view: &View,
    warning: &Message,
    policy: &Policy,
    context: &Context,
    now: Timestamp,
) -> Decision<bool> {
    let key = ThrottleKey::Warnings;
    let mut told: Throttle = view.throttle(key);
    let is_due = told.full(1, APART, now).max(told.full(MOST_A_DAY, DAY, now)).is_none();
    let Some(user) = view.user.as_ref().filter(|_| is_due && throttle::tired(view, policy, now).is_some()) else {
        return Decision::reply(false);
    };
    told.push_sent(DAY, now);
    Decision::reply(true)
        .with(Change::SetThrottle(user.id, told))
        .with(Change::Enqueue(warning.clone()))
        .with(context.event(AuditKind::PromptsRefused, user.id, now).device(warning.device_id).into())
}
