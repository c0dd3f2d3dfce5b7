//! The limits on guessing and on messages (SEC 20–26, SEC 33).
//!
//! Nothing but a success resets anything, and a success resets only the consecutive count of the device that was used
//! (SEC 25).

use crate::model::audit::{Actor, AuditEvent, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::client::Right;
use crate::model::device::{Device, DeviceStatus};
use crate::model::digest::Digest;
use crate::model::factor::FactorKind;
use crate::model::id::{DeviceId, UserId};
use crate::model::policy::Policy;
use crate::model::refusal::Rule;
use crate::model::throttle::{
    PASSWORD_WINDOW, REPORT_PAUSE, TEMP_TOKEN_PER_DAY, Throttle, ThrottleKey, USER_LOCK, device_lock,
};
use crate::model::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};
use crate::rules::verification::end::{Besides, end_trust};

/// Consecutive wrong answers after which a device is disabled (SEC 22). Never settable above 100.
pub const DISABLE_AT: u32 = 50;
/// How far the wrong answers of callers that may only look take a device: half of the way to [`DISABLE_AT`], so that no
/// number of them disables it (SEC 95). From there on each one locks the device for an hour.
pub const READERS_UP_TO: u32 = DISABLE_AT / 2;
/// Wrong answers per user in any hour, over all factors and doors (SEC 23).
pub const USER_PER_HOUR: usize = 20;
/// Wrong answers per user in any day.
pub const USER_PER_DAY: usize = 100;
/// Wrong temporary tokens in any hour (SEC 24).
pub const TEMP_TOKEN_PER_HOUR: usize = 5;
/// Wrong passwords within [`PASSWORD_WINDOW`] that hold all further ones off (SEC 31).
pub const PASSWORDS: usize = 10;
/// The same wrong answer within this many milliseconds is one failure (contract 4.5, doubled attempts).
pub const DOUBLE_WINDOW: i64 = 10 * SECOND;
/// Prompts in any five minutes that the person has not accepted (SEC 13).
pub const PROMPTS_PER_FIVE_MINUTES: usize = 3;
/// Prompts in any day since the last that was accepted.
pub const PROMPTS_PER_DAY: usize = 10;

/// The limit that keeps answers of this subject from being evaluated at `now`, and until when, if one does: of two the one
/// that ends later, else the user's. `None` for `device` asks about the temporary token.
pub fn lock(view: &View, device: Option<DeviceId>, now: Timestamp) -> Option<(Rule, Timestamp)> {
    let subject = match device {
        Some(device) => (Rule::DeviceThrottle, ThrottleKey::Device(device)),
        None => (Rule::TempTokenThrottle, ThrottleKey::TempToken),
    };
    let locks = [subject, (Rule::UserThrottle, ThrottleKey::User)].into_iter();
    locks.filter_map(|(rule, key)| Some((rule, view.throttle(key).locked(now)?))).max_by_key(|(_, until)| *until)
}

/// Locks that end later than they can have been meant to, by more than clocks differ: one was set back since. From the first
/// answer that such a lock refuses it is as long as it was meant to be, and what was counted ahead counts as now (SEC 75).
pub fn shortened(view: &View, user: UserId, now: Timestamp) -> Vec<Change> {
    let too_long = |throttle: &&Throttle| {
        throttle.locked_until.is_some_and(|until| until > now.plus(throttle.lock()).plus(MINUTE))
    };
    let shorten = |throttle: &Throttle| {
        let recent = throttle.recent.iter().map(|at| (*at).min(now)).collect();
        Change::SetThrottle(user, Throttle { locked_until: throttle.locked(now), recent, ..throttle.clone() })
    };
    view.throttles.iter().filter(too_long).map(shorten).collect()
}

/// Whether this wrong answer is the last one, sent again by a client that repeats itself.
pub fn is_doubled(view: &View, device: Option<DeviceId>, wrong: &Digest, now: Timestamp) -> bool {
    let subject = device.map_or(ThrottleKey::TempToken, ThrottleKey::Device);
    // A clock that stepped back far must not make the same guess free for that long.
    let last_wrong = view.throttle(subject).last_wrong;
    last_wrong.is_some_and(|(last, at)| last.matches(wrong) && now.is_within(DOUBLE_WINDOW, at))
}

/// Wrong answers in a row, after one more of a caller with this right (SEC 95).
fn one_more(consecutive: u32, right: Right) -> u32 {
    let more = consecutive.saturating_add(1);
    if right.only_looks() { more.min(READERS_UP_TO.max(consecutive)) } else { more }
}

/// Whether one more wrong answer with this device, of a caller with this right, is one too many (SEC 22).
pub(crate) fn is_last(view: &View, device: DeviceId, right: Right) -> bool {
    !right.only_looks() && view.throttle(ThrottleKey::Device(device)).consecutive.saturating_add(1) >= DISABLE_AT
}

/// Whether it was wrong answers that disabled this device. Otherwise an operator did, who alone may take that back: they know
/// why, and a count of wrong answers says nothing of it.
pub(crate) fn is_disabled_by_guesses(view: &View, device: &Device) -> bool {
    let count = view.throttle(ThrottleKey::Device(device.id)).consecutive;
    device.status == DeviceStatus::Disabled && count >= DISABLE_AT
}

/// Counts one wrong answer against its subject and the user, with the locks that follow (SEC 20–24).
pub fn count_failure(
    view: &View,
    user: UserId,
    device: Option<DeviceId>,
    wrong: Digest,
    by: &Actor,
    now: Timestamp,
) -> Vec<Change> {
    let mut changes = count_subject(view, user, device, wrong, by, now);
    changes.extend(count_user(view, user, by, now));
    changes
}

/// Counts one wrong answer against its subject alone, with the locks that follow (SEC 21, SEC 22, SEC 24).
pub(crate) fn count_subject(
    view: &View,
    user: UserId,
    device: Option<DeviceId>,
    wrong: Digest,
    by: &Actor,
    now: Timestamp,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let event = |kind| {
        let event = by.consequence(kind, user, now);
        match device {
            Some(device) => event.device(device),
            None => event,
        }
    };
    let subject = device.map_or(ThrottleKey::TempToken, ThrottleKey::Device);
    let mut throttle = view.throttle(subject);
    let before = throttle.consecutive;
    throttle.consecutive = one_more(before, by.right);
    throttle.last_wrong = Some((wrong, now));
    let lock = if device.is_some() {
        // Where a reader's count ends, each of its guesses costs the longest lock.
        if throttle.consecutive == before { Some(HOUR) } else { device_lock(throttle.consecutive) }
    } else {
        throttle.push(now);
        if throttle.within(DAY, now) >= TEMP_TOKEN_PER_DAY {
            Some(DAY)
        } else if throttle.within(HOUR, now) >= TEMP_TOKEN_PER_HOUR {
            Some(HOUR)
        } else {
            None
        }
    };
    if let Some(lock) = lock {
        throttle.locked_until = Some(now.plus(lock));
        changes.push(event(AuditKind::GuessLock).into());
    }
    // Only what is in use can be disabled: unlocking would otherwise put a device in use that never proved anything.
    let in_use = |id| view.device(id).is_some_and(|d| d.status == DeviceStatus::Active);
    let disabled = device.is_some_and(|id| in_use(id) && is_last(view, id, by.right));
    changes.push(Change::SetThrottle(user, throttle));
    if let (true, Some(device)) = (disabled, device) {
        changes.extend(end_trust(view, Besides::Nothing, now));
        changes.push(Change::DisableDevice(device));
        changes.push(event(AuditKind::DeviceDisabled).into());
    }
    changes
}

/// Counts one wrong answer against the user alone (SEC 23).
pub(crate) fn count_user(view: &View, user: UserId, by: &Actor, now: Timestamp) -> Vec<Change> {
    let mut budget = view.throttle(ThrottleKey::User);
    budget.consecutive = budget.consecutive.saturating_add(1);
    budget.push(now);
    if budget.within(HOUR, now) >= USER_PER_HOUR || budget.within(DAY, now) >= USER_PER_DAY {
        budget.locked_until = Some(now.plus(USER_LOCK));
        let locked = by.consequence(AuditKind::GuessLock, user, now);
        return vec![Change::SetThrottle(user, budget), locked.into()];
    }
    vec![Change::SetThrottle(user, budget)]
}

/// After a success with this device, only its own consecutive count starts again.
pub fn reset_failures(view: &View, user: UserId, device: DeviceId) -> Option<Change> {
    let key = ThrottleKey::Device(device);
    view.throttles.iter().any(|throttle| throttle.key == key).then_some(Change::ClearThrottle(user, key))
}

/// How long one audit entry covers all refusals under a lock, in milliseconds.
pub const FOLD: i64 = 10 * MINUTE;

/// Adds a refusal under a lock to its decision. The first is recorded; those within [`FOLD`] of it are folded: they change
/// nothing, so repeated calls do not make the trail grow, and are recorded together with their number
/// ([`record_folded`]) once that time is over (SEC 26).
pub(crate) fn refused_under_lock<T>(
    view: &View,
    decision: Decision<T>,
    user: UserId,
    event: AuditEvent,
    now: Timestamp,
) -> Decision<T> {
    let limit = view.throttle(folding(&event));
    if limit.last_wrong.is_some_and(|(last, at)| last == recorded() && now.is_within(FOLD, at)) {
        return decision.folding(event);
    }
    decision.with(event.into()).with(mark_recorded(limit, user, now))
}

/// Records `times` refusals under a lock that were folded, the first of which is `event`. Those that follow fold into the
/// next entry.
pub fn record_folded(view: &View, event: &AuditEvent, times: u32, now: Timestamp) -> Decision<()> {
    let Some(user) = &view.user else { return Decision::reply(()) };
    let entry = AuditEvent { at: now, times: Some(times), request: None, ..event.clone() };
    let limit = view.throttle(folding(event));
    Decision::reply(()).with(entry.into()).with(mark_recorded(limit, user.id, now))
}

/// The limit that remembers whether a refusal like this was recorded. Only limits whose own memory of a last wrong answer is
/// not used otherwise can: the user's, and that of passwords.
fn folding(event: &AuditEvent) -> ThrottleKey {
    if event.kind == AuditKind::SignInRefused { ThrottleKey::Password } else { ThrottleKey::User }
}

fn recorded() -> Digest {
    Digest::of(b"a refusal under a lock")
}

fn mark_recorded(limit: Throttle, user: UserId, now: Timestamp) -> Change {
    Change::SetThrottle(user, Throttle { last_wrong: Some((recorded(), now)), ..limit })
}

/// Until when passwords are not judged, if they are held off (SEC 31).
pub fn password_locked(view: &View, now: Timestamp) -> Option<Timestamp> {
    view.throttle(ThrottleKey::Password).locked(now)
}

/// Counts one wrong password.
pub fn count_password(view: &View, user: UserId, now: Timestamp) -> Change {
    let mut throttle = view.throttle(ThrottleKey::Password);
    throttle.push(now);
    if throttle.within(PASSWORD_WINDOW, now) >= PASSWORDS {
        throttle.locked_until = Some(now.plus(PASSWORD_WINDOW));
    }
    Change::SetThrottle(user, throttle)
}

/// After a right password, the wrong ones before it are forgotten.
pub fn reset_password_failures(view: &View, user: UserId) -> Option<Change> {
    let key = ThrottleKey::Password;
    view.throttles.iter().any(|throttle| throttle.key == key).then_some(Change::ClearThrottle(user, key))
}

/// When the next message of this factor may be sent, if not now (SEC 33). Prompts have other limits (SEC 13): a person
/// who accepts each of them may log in as often as they like.
pub fn next_send(view: &View, factor: FactorKind, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    if factor == FactorKind::Push {
        return prompts_blocked_until(view, policy, now);
    }
    if !policy.message_limits {
        return None;
    }
    let throttle = view.throttle(ThrottleKey::Send(factor));
    let limits = &policy.sends;
    let last = throttle.full(1, limits.device_interval, now);
    let most = usize::try_from(limits.device_per_ten_minutes).unwrap_or(usize::MAX);
    let full = throttle.full(most, 10 * MINUTE, now);
    last.max(full)
}

/// When a caller that may only look may have the next message of this factor sent, if not now. It has a separate part
/// of what may be sent, so that the rest stays for others (SEC 95).
pub fn next_send_of_reader(view: &View, factor: FactorKind, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let all = next_send(view, factor, policy, now);
    if !policy.message_limits {
        return all;
    }
    if factor == FactorKind::Push {
        return all.max(reader_prompt_limit_reached(&view.throttle(ThrottleKey::PromptsOfReaders), now));
    }
    let most = usize::try_from(policy.sends.of_readers().device_per_ten_minutes).unwrap_or(usize::MAX);
    all.max(view.throttle(ThrottleKey::SendOfReaders(factor)).full(most, 10 * MINUTE, now))
}

/// Time until which push prompts are blocked: too many went unanswered (SEC 13), or the person has reported that somebody
/// else is signing in, which blocks them whatever the limits (SEC 12).
pub fn prompts_blocked_until(view: &View, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let prompts = view.throttle(ThrottleKey::Prompts);
    let paused = paused(&prompts, now);
    if policy.message_limits { paused.max(prompt_limit_reached(&prompts, now)) } else { paused }
}

/// Whether prompts are blocked for now, for all callers or for those that may only look.
pub fn prompts_are_blocked(view: &View, policy: &Policy, now: Timestamp) -> bool {
    let of_readers = view.throttle(ThrottleKey::PromptsOfReaders);
    prompts_blocked_until(view, policy, now).is_some()
        || (policy.message_limits && reader_prompt_limit_reached(&of_readers, now).is_some())
}

/// Whether a prompt sent now by a caller with this right reaches the limit, unless it is accepted (SEC 13).
pub fn would_block_prompts(view: &View, policy: &Policy, right: Right, now: Timestamp) -> bool {
    let after = |key| with_prompt(view, key, now);
    let of_all = || prompt_limit_reached(&after(ThrottleKey::Prompts), now).is_some();
    let of_readers = || reader_prompt_limit_reached(&after(ThrottleKey::PromptsOfReaders), now).is_some();
    policy.message_limits && (of_all() || (right.only_looks() && of_readers()))
}

/// Counts one prompt (SEC 13).
pub fn count_prompt(view: &View, user: UserId, now: Timestamp) -> Change {
    Change::SetThrottle(user, with_prompt(view, ThrottleKey::Prompts, now))
}

fn with_prompt(view: &View, key: ThrottleKey, now: Timestamp) -> Throttle {
    let mut prompts = view.throttle(key);
    prompts.push_sent(DAY, now);
    prompts
}

fn prompt_limit_reached(prompts: &Throttle, now: Timestamp) -> Option<Timestamp> {
    prompts.full(PROMPTS_PER_FIVE_MINUTES, 5 * MINUTE, now).max(prompts.full(PROMPTS_PER_DAY, DAY, now))
}

/// The same of callers that may only look, who put half of them (SEC 95).
fn reader_prompt_limit_reached(prompts: &Throttle, now: Timestamp) -> Option<Timestamp> {
    let soon = prompts.full(PROMPTS_PER_FIVE_MINUTES.div_ceil(2), 5 * MINUTE, now);
    soon.max(prompts.full(PROMPTS_PER_DAY.div_ceil(2), DAY, now))
}

/// Until when prompts pause. A clock that was set back makes no pause longer than it was meant to be.
fn paused(prompts: &Throttle, now: Timestamp) -> Option<Timestamp> {
    prompts.locked_until.filter(|until| now < *until && until.since(now) <= REPORT_PAUSE)
}

/// Puts no prompt to this person for a while.
pub fn pause_prompts(view: &View, user: UserId, now: Timestamp) -> Change {
    let prompts = view.throttle(ThrottleKey::Prompts);
    Change::SetThrottle(user, Throttle { locked_until: Some(now.plus(REPORT_PAUSE)), ..prompts })
}

/// A prompt was accepted: those before it are forgotten. A pause stays: what was accepted may be what was reported.
pub fn reset_prompts(view: &View, user: UserId, now: Timestamp) -> Vec<Change> {
    let forgive = |prompts: &Throttle| match prompts.key {
        ThrottleKey::Prompts if paused(prompts, now).is_some() => {
            Some(Change::SetThrottle(user, Throttle { recent: Vec::new(), ..prompts.clone() }))
        }
        ThrottleKey::Prompts | ThrottleKey::PromptsOfReaders => Some(Change::ClearThrottle(user, prompts.key)),
        _ => None,
    };
    view.throttles.iter().filter_map(forgive).collect()
}

/// Counts one message, before it is sent.
pub fn count_send(view: &View, user: UserId, factor: FactorKind, now: Timestamp) -> Change {
    let mut throttle = view.throttle(ThrottleKey::Send(factor));
    throttle.push_sent(HOUR, now);
    Change::SetThrottle(user, throttle)
}

/// Counts one message, before it is sent, in the part of callers that may only look; it counts as anybody's besides.
pub fn count_send_of_reader(view: &View, user: UserId, factor: FactorKind, now: Timestamp) -> Vec<Change> {
    let mut throttle = view.throttle(ThrottleKey::SendOfReaders(factor));
    throttle.push_sent(HOUR, now);
    let mut changes = vec![Change::SetThrottle(user, throttle)];
    if factor == FactorKind::Push {
        changes.push(Change::SetThrottle(user, with_prompt(view, ThrottleKey::PromptsOfReaders, now)));
    }
    changes
}
