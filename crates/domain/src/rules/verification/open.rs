//! Putting a challenge to a device, and ending the ones before it.

use crate::model::audit::AuditKind;
use crate::model::challenge::{AskedFrom, Challenge};
use crate::model::change::{Change, Decision, View};
use crate::model::device::{Device, DeviceStatus};
use crate::model::factor::{FactorKind, SetupKind};
use crate::model::id::UserId;
use crate::model::message::Message;
use crate::model::refusal::Reason;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::verification::{Purpose, Verification};
use crate::rules::basis::Basis;
use crate::rules::factor::push::renumbered;
use crate::rules::throttle;
use crate::rules::verification::end::close_expired;
use crate::rules::verification::find::unlocked;

/// Most open verifications of one device (SEC 35).
pub const MAX_OPEN_PER_DEVICE: usize = 20;

/// A challenge about to be put: everything random is drawn already.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The verification as it will be stored.
    pub verification: Verification,
    /// What will be sent, if anything.
    pub message: Option<Message>,
    /// Whether devices that are listed but not confirmed yet may be challenged.
    pub pending_devices: bool,
}

/// How a trigger ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// A new verification; its message is queued.
    Opened(Verification),
    /// A prompt or pairing is still waiting: nothing was sent again (decision 26).
    Repeated(Verification),
    /// No such user.
    NoUser,
    /// No such device that could be challenged.
    NoDevice,
    /// Locked, with the end where there is one: nothing was sent.
    Locked(Option<Timestamp>),
    /// The next message may be sent then.
    TooSoon(Timestamp),
    /// Too many are open; the first ends then.
    TooMany(Timestamp),
}

/// Puts a challenge to a device.
pub fn open(view: &View, opening: &Opening, basis: Basis<'_>) -> Decision<Opened> {
    let Basis { policy, actor: context, now } = basis;
    let Some(user) = view.user.as_ref() else { return Decision::reply(Opened::NoUser) };
    let usable = |device: &&Device| match device.status {
        DeviceStatus::Active | DeviceStatus::Disabled => true,
        DeviceStatus::Pending => opening.pending_devices,
        DeviceStatus::Registering => false,
    };
    let fresh = &opening.verification;
    let Some(device) = view.device(fresh.device_id).filter(usable).filter(|d| policy.offers(d.factor)) else {
        return Decision::reply(Opened::NoDevice);
    };
    let event = |kind| context.event(kind, user.id, now).device(device.id);
    if let Err(reason) = unlocked(view, user, Some(device), now) {
        let until = match reason {
            Reason::Locked { until, .. } => until,
            _ => None,
        };
        let refused = event(AuditKind::ChallengeRefused).refused(reason.rule(), reason.name());
        return throttle::refused_under_lock(view, Decision::reply(Opened::Locked(until)), user.id, refused, now);
    }
    let of_device = || view.verifications.iter().filter(|v| v.device_id == device.id && v.status.is_pending());

    // A prompt is repeated only to the client that put it, through the kind of door it was put: an approval must
    // be collected only by the client that the person was asked for (SEC 5, SEC 7). Others put another prompt.
    let is_own = |v: &Verification| {
        v.client_id == fresh.client_id
            && v.purpose == fresh.purpose
            && v.state_token.is_some() == fresh.state_token.is_some()
            // A log-in's challenges belong to it alone.
            && (fresh.purpose != Purpose::SignIn || v.state_token == fresh.state_token)
    };
    let waiting = of_device().rfind(|v| {
        v.is_open(now)
            && match v.challenge {
                Challenge::Approval { .. } => is_own(v),
                Challenge::Pairing { .. } => true,
                _ => false,
            }
    });
    // A caller that may only look takes nothing from others: their challenges go on until they are over (SEC 95).
    let spares = |v: &Verification| {
        context.right.only_looks()
            && v.client_id != context.client
            && v.is_open(now)
            // Nothing was sent that it could be answered with.
            && v.challenge != Challenge::Untriggered
    };
    let is_sent = opening.message.is_some() || fresh.challenge != Challenge::Own;
    if is_sent && let Some(end) = of_device().filter(|v| spares(v)).map(|v| v.expires_at).max() {
        return Decision::reply(Opened::TooSoon(end));
    }
    if let Some(waiting) = waiting {
        let mut repeated = waiting.clone();
        let mut decision = Vec::new();
        if let Some((nonce, before, asked, drawn)) = asks_for_another(waiting, fresh) {
            let Some(numbers) = renumbered(before, drawn) else {
                return Decision::reply(Opened::TooMany(waiting.expires_at));
            };
            let challenge = Challenge::Approval { nonce: nonce.clone(), numbers, asked: asked.clone() };
            repeated.challenge = challenge.clone();
            repeated.wire_id.clone_from(&fresh.wire_id);
            let wire_id = fresh.wire_id.clone();
            decision.push(Change::ReplaceChallenge { verification: waiting.id, wire_id, challenge });
        }
        if let Some(hash) = fresh.state_token {
            repeated.state_token = Some(hash);
            decision.push(Change::ReplaceStateToken { verification: waiting.id, hash });
        }
        return Decision::of(decision, Opened::Repeated(repeated))
            .with(event(AuditKind::ChallengeRepeated).verification(Some(waiting.id)).into());
    }
    if device.factor.setup() == SetupKind::Pairing && device.status == DeviceStatus::Pending {
        // Its pairing code has expired; it must be enrolled anew.
        return Decision::reply(Opened::NoDevice);
    }

    // A prompt counts although no message goes out for it: the phone may ask by itself.
    let is_counted = opening.message.is_some() || matches!(fresh.challenge, Challenge::Approval { .. });
    let mut changes = Vec::new();
    if is_counted {
        match count(view, user.id, device.factor, basis) {
            Ok(counted) => changes = counted,
            Err(at) => return Decision::reply(Opened::TooSoon(at)),
        }
    }
    let supersedes = is_sent || fresh.state_token.is_some();
    let mut open = 0;
    let mut first_end = fresh.expires_at;
    for older in of_device() {
        // A new code, link or prompt kills the older one; so does a new state token. What has run out is tidied up.
        if (supersedes && !spares(older)) || !older.is_open(now) {
            changes.push(close_expired(older));
            changes.push(Change::DropMessages(older.id));
        } else {
            open += 1;
            first_end = first_end.min(older.expires_at);
        }
    }
    if open >= MAX_OPEN_PER_DEVICE {
        return Decision::reply(Opened::TooMany(first_end));
    }
    changes.push(Change::OpenVerification(fresh.clone()));
    changes.extend(opening.message.clone().map(Change::Enqueue));
    changes.push(event(AuditKind::ChallengeSent).verification(Some(fresh.id)).into());
    Decision::of(changes, Opened::Opened(fresh.clone()))
}

/// Counts a message to a device of this factor, or says from when on there may be one.
fn count(view: &View, user: UserId, factor: FactorKind, basis: Basis<'_>) -> Result<Vec<Change>, Timestamp> {
    let Basis { policy, actor: context, now } = basis;
    let looks = context.right.only_looks();
    let next = if looks { throttle::next_send_of_reader } else { throttle::next_send };
    if let Some(at) = next(view, factor, policy, now) {
        return Err(at);
    }
    let is_prompt = factor == FactorKind::Push;
    let mut changes = if is_prompt { Vec::new() } else { vec![throttle::count_send(view, user, factor, now)] };
    if looks {
        changes.extend(throttle::count_send_of_reader(view, user, factor, now));
    }
    if is_prompt {
        changes.push(throttle::count_prompt(view, user, now));
    }
    Ok(changes)
}

/// The waiting prompt's nonce and numbers and the number drawn for the fresh one, if the prompt must ask for another. Who
/// asks again need not be who asked first, so the number that the first was shown must not be good for the second, nor may
/// the first collect what the second has approved; only within one log-in it is the same caller's.
fn asks_for_another<'v>(
    waiting: &'v Verification,
    fresh: &'v Verification,
) -> Option<(&'v Secret, &'v [String], &'v AskedFrom, &'v str)> {
    let Challenge::Approval { nonce, numbers, asked } = &waiting.challenge else { return None };
    let Challenge::Approval { numbers: drawn, .. } = &fresh.challenge else { return None };
    let others = fresh.purpose != Purpose::SignIn && !numbers.is_empty();
    drawn.last().filter(|_| others).map(|drawn| (nonce, numbers.as_slice(), asked, drawn.as_str()))
}
